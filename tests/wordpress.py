"""A real WordPress for tests: Debian's files in a folder of the tests' own, MariaDB on a socket there, php-fpm on a free port. It
reaches nobody outside, and ends with the tests. Web servers before it are made by proxies.py."""
import glob
import json
import os
import shutil
import subprocess

import pytest

from harness import ROOT, Process
from proxies import Edge, free_port

PACKAGED = "/usr/share/wordpress"
SYSTEM = "/usr/sbin:/usr/bin"
BLOCK_THEME = "twentytwentythree"
CLASSIC_THEME = "paper"  # the test's own: an old newspaper's, with elements that a script used to fill
PASSWORD = "sesame1234"

CONFIG = """<?php
define('DB_NAME', 'paper'); define('DB_USER', 'root'); define('DB_PASSWORD', ''); define('DB_HOST', 'localhost:%(socket)s');
if (isset($_SERVER['SERVER_PORT'])) { $_SERVER['HTTP_HOST'] = '127.0.0.1:' . $_SERVER['SERVER_PORT']; } // no recipe names a port
define('WP_HOME', 'http://' . $_SERVER['HTTP_HOST']); define('WP_SITEURL', WP_HOME);
define('WP_HTTP_BLOCK_EXTERNAL', true); define('WP_ACCESSIBLE_HOSTS', '127.0.0.1'); define('DISABLE_WP_CRON', true);
define('AUTOMATIC_UPDATER_DISABLED', true); define('WP_DEBUG', true); define('WP_DEBUG_DISPLAY', false);
define('WP_DEBUG_LOG', '%(folder)s/debug.log');
foreach (array('AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE') as $name) {
    define($name . '_KEY', $name); define($name . '_SALT', $name);
}
$table_prefix = 'wp_';
if (isset($_GET['amp'])) { function amp_is_request() { return true; } } // as the AMP plugin says it
require_once ABSPATH . 'wp-settings.php';
"""

INSTALL = """
function wp_new_blog_notification() {}
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('The Daily Example', 'chief', 'chief@example.org', true, '', '%(password)s');
foreach (array('editor', 'author') as $role) {
    wp_insert_user(array('user_login' => $role, 'user_pass' => '%(password)s', 'role' => $role, 'user_email' => "$role@example.org"));
}
foreach (array('show_avatars' => 0, 'comments_notify' => 0, 'moderation_notify' => 0, 'comment_moderation' => 0,
               'comment_previously_approved' => 0, 'require_name_email' => 0) as $name => $value) {
    update_option($name, $value);
}
require_once ABSPATH . 'wp-admin/includes/plugin.php';
echo json_encode(activate_plugin('masthead/masthead.php'));
"""

CLASSIC = {
    "style.css": "/*\nTheme Name: Paper\n*/\n",
    "index.php": """<!doctype html><html <?php language_attributes(); ?>><head><meta charset="utf-8"><?php wp_head(); ?></head>
<body><?php wp_body_open(); ?><header><span id="city">Fetching location...</span> <span id="temp">-- °C</span></header><main><?php
get_search_form();
while (have_posts()) { the_post(); ?><article><h2><?php the_title(); ?></h2><?php the_content(); the_author(); comments_template(); ?></article><?php }
?></main><?php wp_footer(); ?></body></html>""",
}


def program(pattern):
    """A program outside a user's path, such as php-fpm8.2; None where it is not installed."""
    return next((found for folder in SYSTEM.split(":") for found in sorted(glob.glob(f"{folder}/{pattern}"))), None)


def needs(*patterns):
    """Skips where a server is not installed."""
    for pattern in patterns:
        if not program(pattern):
            pytest.skip(f"{pattern} is not installed")


class WordPress:
    """Installed, with the plugin active, users `chief` (administrator), `editor` and `author`, and one post with a comment. Its
    pages name the port of the server that asked php-fpm."""

    def __init__(self, folder):
        self.folder, self.root = folder, folder / "html"
        self.running = []
        self.fpm = f"127.0.0.1:{free_port()}"
        self._put_files()
        try:
            self._start()
            assert self.php(INSTALL % {"password": PASSWORD}) is None
        except BaseException:
            self.stop()
            raise

    def _put_files(self):
        shutil.copytree(PACKAGED, self.root, symlinks=True, ignore=shutil.ignore_patterns("wp-config*", ".htaccess"))
        content = self.root / "wp-content"
        shutil.copytree(ROOT / "data" / "embed" / "wordpress", content / "plugins" / "masthead")
        for name, text in CLASSIC.items():
            (content / "themes" / CLASSIC_THEME).mkdir(exist_ok=True)
            (content / "themes" / CLASSIC_THEME / name).write_text(text, encoding="utf-8")
        (content / "mu-plugins").mkdir()
        (content / "mu-plugins" / "tests.php").write_text("<?php add_filter('wp_is_comment_flood', '__return_false', 99);", encoding="utf-8")
        (self.root / "wp-config.php").write_text(CONFIG % {"socket": self.folder / "db", "folder": self.folder}, encoding="utf-8")

    def _start(self):
        root = os.geteuid() == 0
        data = self.folder / "data"
        user = ["--user=root"] if root else []
        subprocess.run([program("mariadb-install-db"), "--no-defaults", f"--datadir={data}", "--skip-test-db",
                        "--auth-root-authentication-method=normal", *user], check=True, capture_output=True)
        database = self._run([program("mariadbd"), "--no-defaults", f"--datadir={data}", f"--socket={self.folder}/db", *user,
                              "--skip-networking", "--skip-grant-tables", "--innodb-buffer-pool-size=32M",
                              "--innodb-flush-log-at-trx-commit=0", f"--pid-file={self.folder}/db.pid"])
        database.wait_line("ready for connections")
        subprocess.run([program("mariadb"), "--no-defaults", f"--socket={self.folder}/db", "-e", "CREATE DATABASE paper"], check=True)
        (self.folder / "fpm.conf").write_text(f"""[global]
error_log = /proc/self/fd/2
[www]
listen = {self.fpm}
pm = static
pm.max_children = 3
{"user = root" if root else ""}
php_admin_value[sendmail_path] = /bin/true
php_admin_value[opcache.revalidate_freq] = 0
""", encoding="utf-8")
        fpm = [program("php-fpm[0-9]*"), "--nodaemonize", "--fpm-config", str(self.folder / "fpm.conf"), *(["-R"] if root else [])]
        self._run(fpm).wait_line("ready to handle connections")

    def _run(self, command):
        self.running.append(Process([str(part) for part in command]))
        return self.running[-1]

    def php(self, code, host="127.0.0.1"):
        """Runs code within WordPress, as a request to `host` would; returns what it prints, as JSON. An exception is the test's."""
        begin = ("$_SERVER['HTTP_HOST'] = $argv[1]; if (str_starts_with($argv[2], \"\\nfunction wp_new\")) define('WP_INSTALLING', true);"
                 f"require '{self.root}/wp-load.php'; eval($argv[2]);")
        done = subprocess.run(["php", "-d", "display_errors=stderr", "-r", begin, "--", host, code], capture_output=True, text=True,
                              timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout) if done.stdout else None

    def settings(self, **values):
        """The plugin's settings, as its page would store them."""
        self.php(f"update_option('masthead', masthead_sanitize(json_decode({json.dumps(json.dumps(values))}, true)));")

    def theme(self, name):
        self.php(f"switch_theme('{name}');")

    def block(self):
        """What nginx needs to serve it, for a server block."""
        return f"""root {self.root}; index index.php; include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
            location / {{ try_files $uri $uri/ /index.php?$args; }}
            location ~ \\.php$ {{ try_files $uri =404; fastcgi_pass {self.fpm}; }}"""

    def complaints(self):
        """New notices and warnings of PHP."""
        log = self.folder / "debug.log"
        text = log.read_text(encoding="utf-8") if log.exists() else ""
        log.unlink(missing_ok=True)
        return [line for line in text.splitlines() if "masthead" in line]

    def stop(self):
        for process in reversed(self.running):
            process.stop()

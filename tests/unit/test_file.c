/* A file is opened without waiting for anybody, and replaced whole or not at all: whatever is in the way, the
 * old one stays, and nothing is left beside it. */
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/file.h"
#include "folder.h"

static void assert_not_opened(const char *path, enum file_links links, const char *expected)
{
    const char *reason = "";
    assert_int_equal(file_open(path, links, &reason), -1);
    if (expected ? !reason || strcmp(reason, expected) != 0 : reason != NULL)
        fail_msg("%s: %s", path, reason ? reason : "not there");
    assert_null(file_open_stream(path, links, &reason));
}

TEST(only_a_regular_file_is_opened)
{
    static const enum file_links both[] = {FILE_FOLLOW, FILE_NO_LINK};
    const char *reason;
    write_string(in_folder("regular"), "it");
    assert_int_equal(symlink(in_folder("regular"), in_folder("to_regular")), 0);
    assert_int_equal(mkfifo(in_folder("a_fifo"), 0600), 0);
    assert_int_equal(symlink(in_folder("a_fifo"), in_folder("to_fifo")), 0);
    for (size_t i = 0; i < COUNT(both); i++) {
        FILE *file = file_open_stream(in_folder("regular"), both[i], &reason);
        assert_int_equal(fgetc(file), 'i');
        fclose(file);
        file = file_open_stream("/dev/null", both[i], &reason);
        assert_int_equal(fgetc(file), EOF);
        fclose(file);
        assert_not_opened(in_folder("nothing"), both[i], NULL);
        assert_not_opened(in_folder("a_fifo"), both[i], "not a regular file");
        assert_not_opened(folder, both[i], "not a regular file");
        assert_not_opened("/dev/zero", both[i], "not a regular file");
    }
    int fd = file_open(in_folder("to_regular"), FILE_FOLLOW, &reason);
    assert_in_range(fd, 0, INT_MAX);
    close(fd);
    assert_not_opened(in_folder("to_fifo"), FILE_FOLLOW, "not a regular file");
    assert_not_opened(in_folder("to_regular"), FILE_NO_LINK, "a symbolic link");
}

static void assert_replaced(const char *path, const char *text)
{
    struct stat status;
    char fresh[160];
    snprintf(fresh, sizeof fresh, "%s.new", path);
    if (!file_replace_bytes(path, text, strlen(text)))
        fail_msg("%s: %s", path, strerror(errno));
    assert_file_holds(path, text);
    assert_int_equal(lstat(path, &status), 0);
    assert_int_equal(status.st_mode, S_IFREG | 0600);
    assert_false(there(fresh));
}

static void assert_refused(const char *path, int error)
{
    errno = 0;
    assert_false(file_replace_bytes(path, "new", 3));
    assert_int_equal(errno, error);
}

TEST(a_file_is_made_and_replaced)
{
    assert_replaced(in_folder("file"), "first");
    assert_replaced(in_folder("file"), "second, and longer");
    assert_replaced(in_folder("file"), "");
    assert_replaced(in_folder("made/file"), "in a folder that was missing");
    assert_int_equal(chdir(folder), 0);
    assert_replaced("bare", "in the working folder");
    assert_int_equal(chdir("/"), 0);
}

TEST(what_lies_in_the_way_is_replaced_not_followed)
{
    write_string(in_folder("target"), "untouched");
    assert_int_equal(symlink(in_folder("target"), in_folder("linked.new")), 0);
    assert_replaced(in_folder("linked"), "beside a link");
    assert_int_equal(symlink(in_folder("target"), in_folder("link")), 0);
    assert_replaced(in_folder("link"), "in place of a link");
    write_string(in_folder("killed.new"), "what a killed process has left, longer than what comes");
    assert_replaced(in_folder("killed"), "whole");
    assert_file_holds(in_folder("target"), "untouched");
}

TEST(where_nothing_can_be_written_the_error_says_why)
{
    char deep[PATH_MAX];
    memset(deep, 'x', sizeof deep);
    deep[sizeof deep - 4] = '\0';
    write_string(in_folder("plain"), "no folder");
    assert_refused(in_folder("plain/file"), ENOTDIR);
    assert_refused(in_folder("one/two/file"), ENOENT);
    assert_refused("/proc/file", ENOENT);
    assert_refused(deep, ENAMETOOLONG);
    mkdir(in_folder("occupied"), 0700);
    assert_refused(in_folder("occupied"), EISDIR);
    assert_false(there(in_folder("occupied.new")));
    mkdir(in_folder("blocked.new"), 0700);
    assert_refused(in_folder("blocked"), EEXIST);
    assert_file_holds(in_folder("plain"), "no folder");
}

/* A device that is full: no file may grow past a few bytes. */
TEST(a_full_disk_leaves_the_old_file)
{
    static char large[20000];
    struct rlimit was;
    memset(large, 'x', sizeof large);
    assert_replaced(in_folder("full"), "old");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){2, was.rlim_max}), 0);
    bool small = file_replace_bytes(in_folder("full"), "new", 3); /* fails in the flush */
    int error = errno;
    bool big = file_replace_bytes(in_folder("full"), large, sizeof large); /* fails in the write */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_false(small || big);
    assert_int_equal(error, EFBIG);
    assert_file_holds(in_folder("full"), "old");
    assert_false(there(in_folder("full.new")));
}

/* Writes two parts, the second over the first's beginning; fails where `context` is a number of errno. */
static bool write_parts(FILE *file, void *context)
{
    const int *error = context;
    fputs("-----, then the rest", file);
    fseek(file, 0, SEEK_SET);
    fputs("first", file);
    errno = *error;
    return *error == 0;
}

/* Does not notice that nothing can be written. */
static bool write_carelessly(FILE *file, void *context)
{
    static char large[20000];
    (void)context;
    fwrite(large, 1, sizeof large, file);
    fseek(file, 0, SEEK_SET);
    errno = 0;
    return true;
}

TEST(a_writer_may_seek_and_may_fail)
{
    int error = 0;
    struct rlimit was;
    assert_true(file_replace(in_folder("parts"), write_parts, &error));
    assert_file_holds(in_folder("parts"), "first, then the rest");
    error = EXDEV;
    assert_false(file_replace(in_folder("parts"), write_parts, &error));
    assert_int_equal(errno, EXDEV);

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){2, was.rlim_max}), 0);
    bool replaced = file_replace(in_folder("parts"), write_carelessly, NULL);
    error = errno;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_false(replaced);
    assert_int_not_equal(error, 0);
    assert_file_holds(in_folder("parts"), "first, then the rest");
    assert_false(there(in_folder("parts.new")));
}

UNIT_MAIN(make_folder, remove_folder)

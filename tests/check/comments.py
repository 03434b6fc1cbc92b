"""Finds what comments and documents name that is gone: files that are not in the tree, identifiers that no code has."""
import io
import re
import tokenize

BLOCK = r"/\*.*?\*/"
STRING = r'"(?:\\.|[^"\\\n])*"' + r"|'(?:\\.|[^'\\\n])*'"
HASH = re.compile(r"(?m)(?:^|(?<=\s))#(?!!).*$")
COMMENTS = {  # by the ending of the file's name; strings are matched too where they may hold what begins a comment
    ".c .h": re.compile(rf"{BLOCK}|//[^\n]*|{STRING}", re.S),
    ".js .php": re.compile(rf"{BLOCK}|(?<![:\w\"'])//[^\n]*", re.S),
    ".css": re.compile(BLOCK, re.S),
    ".html .svg": re.compile(r"<!--.*?-->", re.S),
    ".md": re.compile(r"`[^`\n]+`"),  # what a document sets as code
    ".sh .pl .awk .conf .vcl .yml .yaml .service .timer Makefile run": HASH,
}
COMMENTS = {ending: pattern for endings, pattern in COMMENTS.items() for ending in endings.split()}

FILE = re.compile(r"(?<![\w/<.-])[\w-][\w./-]*\.(?:c|h|js|py|sh|pl|css|html|json|tsv|conf|mmdb|svg|awk|vcl|php|yml|md)\b")
NAME = re.compile(r"\b(?!MASTHEAD__)(?:[A-Za-z]\w*(?=\(\))|[A-Za-z]\w*_\w+)\b")
FOREIGN = re.compile(r"https?://\S+|\b\w+\(\d\w*\)|\S*[/_]NAME\b\S*|\bbuild/\S+|Node\.js")  # also sigpending(3)
KNOWN = {  # what others define
    "INET6_ADDRSTRLEN", "NODE_PATH", "PIPE_BUF", "header.php", "mod_remoteip", "mg_url_decode", "proxy_add_x_forwarded_for", "thread_type",
    "name_end",  # made by a macro
    "partlycloudy_night", "a.b.c",  # examples
}


def split_python(text):
    comments, starts = [], True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        documents = starts and token.type == tokenize.STRING and token.string.startswith('"""')
        if token.type == tokenize.COMMENT or documents:
            comments.append(token.string)
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            starts = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    for comment in comments:
        text = text.replace(comment, " ", 1)
    return comments, text


def split(path, text):
    """The comments of a file, and its text without them."""
    if path.suffix == ".py":
        return split_python(text)
    pattern = COMMENTS.get(path.suffix or path.name)
    comments = []

    def cut(match):
        if match.group()[0] in "\"'":
            return match.group()
        comments.append(match.group())
        return " "

    return comments, pattern.sub(cut, text) if pattern else text


def gone(files):
    """(file, name) for each name in a comment that is gone. `files`: the text of each file of the tree, by path."""
    parts = {path: split(path, text) for path, text in files.items()}
    code = "\n".join(text for _, text in parts.values())
    words = set(re.findall(r"\w+", code)) | KNOWN
    ends = {"/".join(path.parts[i:]) for path in files for i in range(len(path.parts))}
    for path, (comments, _) in parts.items():
        text = FOREIGN.sub(" ", "\n".join(comments))
        for name in FILE.findall(text):
            if name not in ends and name not in words and name not in code:
                yield path, name
        for name in NAME.findall(FILE.sub(" ", text)):
            if name.strip("_") not in words and name not in words:
                yield path, name

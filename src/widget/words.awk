# Derives from words.txt what the two users of it need:
#
#   awk -v form=h   the weather, phrases and digits, as C
#   awk -v form=js  the words of a dialog, those whose key fits the pattern `wanted`, as one statement of JavaScript
#
# Fails where a language does not have the keys of the first one, in their order.

function fail(why) {
    print FILENAME ":" FNR ": " why >"/dev/stderr"
    exit failed = 1
}

function quoted(text) {
    gsub(/["\\]/, "\\\\&", text)
    return "\"" text "\""
}

function finish() {
    if (tag && key != keys)
        fail("[" tag "] does not have all keys")
}

/^#/ || !NF { next }

/^\[/ {
    finish()
    tag = substr($1, 2, length($1) - 2)
    tags[++languages] = tag
    key = 0
    next
}

{
    value = substr($0, length($1) + 2)
    if (value == "" || value ~ /[ \t]$/)
        fail("no value, or a space behind it")
}

$1 == "zero" {
    if (NF == 2)
        rows = rows "    {" quoted(tag) ", " quoted($2) ", words_" tag ", &phrases_" tag "},\n"
    for (i = 3; i <= NF; i++)
        rows = rows "    {" quoted(tag "-" $i) ", " quoted($2) ", words_" tag ", &phrases_" tag "},\n"
    next
}

{
    if (languages == 1)
        names[++keys] = $1
    if (names[++key] != $1)
        fail("the key here is " names[key])
    if ($1 ~ /^[0-9]+$/)
        weather[tag] = weather[tag] " " quoted(value) ","
    else if ($1 == "later")
        phrases[tag] = phrases[tag] ".later = " quoted(value) ", "
    else if ($1 ~ /^(rain|snow|feels)$/) {
        if (value !~ /^[^%]*%s[^%]*$/)
            fail("one %s, and no other %")
        phrases[tag] = phrases[tag] "." $1 " = " quoted(value) ", "
    } else if ($1 ~ wanted)
        dialog[tag] = dialog[tag] $1 ":" quoted(value) ","
}

END {
    if (failed)
        exit 1
    finish()
    if (form == "js") {
        printf "const languages={"
        for (i = 1; i <= languages; i++)
            printf "%s:{%s},", tags[i], dialog[tags[i]]
        print "};"
        exit
    }
    printf "static const int codes[] = {"
    for (i = 1; i <= keys; i++)
        if (names[i] ~ /^[0-9]+$/)
            printf "%s, ", names[i]
    print "};"
    for (i = 1; i <= languages; i++)
        print "static const char *const words_" tags[i] "[] = {" weather[tags[i]] "};\n" \
              "static const struct phrases phrases_" tags[i] " = {" phrases[tags[i]] "};"
    print "static const struct language languages[] = {\n" rows "};"
}

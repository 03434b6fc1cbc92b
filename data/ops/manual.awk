# Fills data/ops/masthead.8: awk -f manual.awk USAGE OPTIONS masthead.8, where USAGE is the output of --help and OPTIONS that
# of --print-config without a file.
function roff(text) {
    gsub(/\\/, "\\e", text)
    gsub(/`/, "\\(ga", text)
    return text ~ /^[.']/ ? "\\&" text : text
}
function options(    i, in_list, help, at, value) {
    for (i = 1; i <= option_count; i++) {
        if (option[i] ~ /^\[/) {
            if (in_list)
                print ".El"
            print ".Ss " option[i]
            print ".Bl -tag -width Ds"
            in_list = 1
        } else if (option[i] ~ /^# /) {
            help = substr(option[i], 3)
        } else if ((at = index(option[i], " =")) > 0) {
            value = roff(substr(option[i], at + 3))
            print ".It Cm " substr(option[i], 1, at - 1) " No =" (value == "" ? "" : " Ns \\& " value)
            gsub(/\. /, ".\n", help)
            print roff(help)
        }
    }
    print ".El"
}
FNR == 1 { file++ }
file == 1 { usage[++usage_count] = $0; next }
file == 2 { option[++option_count] = $0; next }
/^\.\\" USAGE/ { for (i = 1; i <= usage_count; i++) print roff(usage[i]); next }
/^\.\\" OPTIONS/ { options(); next }
FNR > 1 { print }

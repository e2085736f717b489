# hoopguard: PGXS builds the extension; the targets below it set up, show, test and measure.
# A fresh machine has neither PostgreSQL nor a compiler: everything but `make demo`, `make test` and
# `make deps` needs PGXS, and those three fetch it first.

MODULE_big = hoopguard
EXTENSION = hoopguard
SQL_VERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" hoopguard.control)
SQL_SCRIPT = sql/hoopguard--$(SQL_VERSION).sql
DATA_built = $(SQL_SCRIPT)
DATA = $(wildcard sql/released/hoopguard--*.sql)
DOCS = README.md
REGRESS = $(shell cat sql/schedule 2>/dev/null)
REGRESS_OPTS = --load-extension=hoopguard $(if $(REGRESS_OUTPUT),--outputdir='$(REGRESS_OUTPUT)')

SOURCES = $(filter-out src/tools/% src/saml/%,$(sort $(shell find src -name '*.cpp')))
OBJS = $(SOURCES:.cpp=.o)
PURE = $(filter-out %_pg.cpp,$(filter src/base/% src/crypto/% src/policy/% src/identify/% src/classify/% \
         src/decide/% src/approve/% src/record/% src/review/% src/mask/% src/detect/%,$(SOURCES)))
TOOL = build/hoopguard-journal
EXTRA_CLEAN = build $(SQL_SCRIPT) src/*/*.o src/*.o src/*/*.d src/*.d

CXX_STANDARD = -std=c++20 -Wno-register
CXX_WARNINGS = -Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-field-initializers
# GCC clears a structure by `rep stos`, which takes the processor longer to begin than a statement's entry takes to
# write; where the compiler knows these options it stores word by word.
COPYING := -mmemset-strategy=unrolled_loop:256:noalign,libcall:-1:noalign \
           -mmemcpy-strategy=unrolled_loop:256:noalign,libcall:-1:noalign
COPYING := $(shell echo | $(CXX) $(COPYING) -E -x c++ - >/dev/null 2>&1 && echo "$(COPYING)")
# A short statement waits above all for code to come from memory. With the whole library before it, GCC puts less of it in
# a statement's way; functions of the server and of libraries are called without a jump in between. LTO= does without.
LTO := $(if $(findstring Free Software Foundation,$(shell $(CXX) --version 2>/dev/null)),-flto=auto)
PURE_CXXFLAGS = $(CXX_STANDARD) $(CXX_WARNINGS) $(COPYING) -O2 -g $(PURE_FLAGS) -Isrc -DHOOPGUARD_PURE -MMD -MP

# The PAM module, where PAM's headers are (Debian: libpam0g-dev). PAM finds modules in PAM_DIR.
PAM = build/pam_hoopguard.so
PAM_HEADER := $(wildcard /usr/include/security/pam_ext.h)
PAM_DIR ?= /lib/$(shell $(CC) -print-multiarch 2>/dev/null)/security

# The program that verifies SAML responses in a process of its own, where libxmlsec1 is (Debian: libxmlsec1-dev). The
# server looks for it beside its libraries.
SAML_PACKAGE = xmlsec1-openssl
SAML := $(shell pkg-config --exists $(SAML_PACKAGE) 2>/dev/null && echo build/hoopguard-saml)
ifneq ($(SAML),)
SAML_FLAGS := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(SAML_PACKAGE)))
SAML_LIBS := $(shell pkg-config --libs $(SAML_PACKAGE))
SAML_SOURCES = $(sort $(wildcard src/saml/*.cpp))
SAML_PARTS = $(filter-out src/saml/hoopguard_saml.cpp,$(SAML_SOURCES))
endif

PG_CONFIG ?= pg_config
ifneq ($(shell command -v $(PG_CONFIG) 2>/dev/null),)
PGXS := $(shell $(PG_CONFIG) --pgxs)
endif
ifneq ($(wildcard $(PGXS)),)
override with_llvm := no
PG_CPPFLAGS = -Isrc
PG_CXXFLAGS = $(CXX_STANDARD) $(CXX_WARNINGS) $(COPYING) $(LTO) -fno-plt -fvisibility=hidden -fno-semantic-interposition -MMD -MP \
              -DPGDLLEXPORT='__attribute__((visibility("default")))'
# Each file was compiled with warnings as errors; what is seen when all are one is seen through inlined code, and is told.
SHLIB_LINK = -lcrypto -lre2 -Wl,--version-script=src/exports.map -Wl,-Map=build/hoopguard.map -Wno-error
all: $(if $(wildcard src/tools/*.cpp),$(TOOL))
include $(PGXS)
override COMPILER = $(CXX) $(CXXFLAGS)
# PostgreSQL's own headers are not ours to warn about.
override CPPFLAGS := $(patsubst -I$(includedir_server),-isystem $(includedir_server),$(CPPFLAGS))
install: $(if $(wildcard src/tools/*.cpp),install-tool) $(if $(PAM_HEADER),install-pam) $(if $(SAML),install-saml)
all: $(if $(PAM_HEADER),$(PAM)) $(SAML)
endif
-include $(OBJS:.o=.d)
hoopguard.so: src/exports.map | build
build:
	mkdir -p $@

# The install script is its parts in order; the number before a part's name is its place. sql/released has those of
# earlier versions as they were, and the scripts that upgrade them.
$(SQL_SCRIPT): $(sort $(wildcard sql/install/*.sql))
	cat $^ >$@

.PHONY: deps demo demo-stop test test-unit test-regress test-tap test-checks test-versions test-peers faults oracle \
        bench format lint fuzz soak test-kill \
        install-tool install-pam install-saml dist package test-package test-clean

# The offline verifier links only pure floors, and of them only what it uses; it needs no PostgreSQL to build, and
# takes what is built for the library where there is one.
PURE_OBJS = $(if $(wildcard $(PGXS)),$(PURE:.cpp=.o),$(PURE:src/%.cpp=build/pure/%.o))
TOOL_OBJS = $(patsubst src/%.cpp,build/pure/%.o,$(sort $(wildcard src/tools/*.cpp)))
PURE_LIBRARY = build/pure.a
PURE_LIBS = $(PURE_LIBRARY) -Wl,--as-needed -lcrypto -lre2
build/pure/%.o: src/%.cpp
	@mkdir -p $(@D)
	$(CXX) $(PURE_CXXFLAGS) -c -o $@ $<
$(PURE_LIBRARY): $(PURE_OBJS)
	@mkdir -p $(@D)
	rm -f $@
	$(AR) rcs $@ $^
$(TOOL): $(TOOL_OBJS) $(PURE_LIBRARY)
	$(CXX) $(PURE_LDFLAGS) -o $@ $(TOOL_OBJS) $(PURE_LIBS)
-include $(TOOL_OBJS:.o=.d) $(PURE_OBJS:.o=.d)

SAML_OBJS = $(SAML_SOURCES:src/%.cpp=build/pure/%.o)
$(SAML_OBJS): PURE_CXXFLAGS += $(SAML_FLAGS)
build/hoopguard-saml: $(SAML_OBJS) $(PURE_LIBRARY)
	$(CXX) $(PURE_LDFLAGS) -o $@ $(SAML_OBJS) $(PURE_LIBS) $(SAML_LIBS)
-include $(SAML_OBJS:.o=.d)

install-saml: $(SAML)
	$(MKDIR_P) '$(DESTDIR)$(pkglibdir)'
	$(INSTALL_PROGRAM) $(SAML) '$(DESTDIR)$(pkglibdir)/hoopguard-saml'

install-tool: $(TOOL)
	$(MKDIR_P) '$(DESTDIR)$(bindir)'
	$(INSTALL_PROGRAM) $(TOOL) '$(DESTDIR)$(bindir)/hoopguard-journal'

$(PAM): src/pam/pam_hoopguard.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -Wall -Wextra -Werror -O2 -g $(PURE_LDFLAGS) -fPIC -shared -o $@ $< -lpam -ldl

install-pam: $(PAM)
	$(MKDIR_P) '$(DESTDIR)$(PAM_DIR)'
	$(INSTALL_SHLIB) $(PAM) '$(DESTDIR)$(PAM_DIR)/pam_hoopguard.so'

# Unit tests: the pure floors under AddressSanitizer and UndefinedBehaviorSanitizer.
UNIT = build/unit-tests
UNIT_FLAGS = $(PURE_CXXFLAGS) $(SAML_FLAGS) -Og -g1 -fsanitize=address,undefined -fno-sanitize-recover=all -DTEST_DATA='"test"'
UNIT_OBJS = $(patsubst src/%.cpp,build/unit/src/%.o,$(PURE) $(SAML_PARTS)) \
            $(patsubst test/unit/%.cpp,build/unit/test/%.o,$(filter-out $(if $(SAML),,%/saml_test.cpp),$(sort $(wildcard test/unit/*.cpp))))
build/unit/src/%.o: src/%.cpp
	@mkdir -p $(@D)
	$(CXX) $(UNIT_FLAGS) -c -o $@ $<
build/unit/test/%.o: test/unit/%.cpp
	@mkdir -p $(@D)
	$(CXX) $(UNIT_FLAGS) -c -o $@ $<
$(UNIT): $(UNIT_OBJS)
	$(CXX) -fsanitize=address,undefined -o $@ $^ -lgtest -lgtest_main -lcrypto -lre2 -lpthread $(SAML_LIBS)
-include $(UNIT_OBJS:.o=.d)

# Fuzzing: a program for each test/fuzz/NAME_fuzz.cpp, by clang, which has libFuzzer. Debian 12's own clang, 14, does not
# take GCC 12's ranges; it has 16 too.
FUZZ_CXX = $(firstword $(foreach name,clang++-16 clang++,$(shell command -v $(name))))
FUZZ_SANITIZERS = address,undefined
FUZZ_FLAGS = $(CXX_STANDARD) -Wall -Werror -Wno-unused-parameter -Wno-missing-field-initializers -O1 -g1 \
             -fsanitize=$(FUZZ_SANITIZERS) -fno-sanitize-recover=all -fno-omit-frame-pointer -Isrc -Itest/unit \
             -DHOOPGUARD_PURE $(SAML_FLAGS) -MMD -MP
FUZZ_TARGETS = $(patsubst test/fuzz/%_fuzz.cpp,build/fuzz/%,$(filter-out $(if $(SAML),,%/saml_fuzz.cpp),$(sort $(wildcard test/fuzz/*_fuzz.cpp))))
FUZZ_OBJS = $(patsubst src/%.cpp,build/fuzz/src/%.o,$(PURE))
build/fuzz/saml: FUZZ_OBJS += $(patsubst src/%.cpp,build/fuzz/src/%.o,$(SAML_PARTS))
build/fuzz/saml: FUZZ_LIBS = $(SAML_LIBS)
build/fuzz/saml: $(patsubst src/%.cpp,build/fuzz/src/%.o,$(SAML_PARTS))
build/fuzz/src/%.o: src/%.cpp
	@mkdir -p $(@D)
	$(FUZZ_CXX) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<
build/fuzz/%: test/fuzz/%_fuzz.cpp $(FUZZ_OBJS)
	$(FUZZ_CXX) $(FUZZ_FLAGS) -fsanitize=fuzzer -MF $@.d -o $@ $< $(FUZZ_OBJS) -lcrypto -lre2 $(FUZZ_LIBS)
-include $(FUZZ_OBJS:.o=.d) $(FUZZ_TARGETS:=.d)

# Programs that make bench measures with: pure, optimized.
build/bench/%: test/bench/%.cpp $(PURE_LIBRARY)
	@mkdir -p $(@D)
	$(CXX) $(PURE_CXXFLAGS) -o $@ $< $(PURE_LIBS)
-include $(wildcard build/bench/*.d)

# Asks random queries of a masked role and of a masked copy (test/oracle).
build/oracle: $(wildcard test/oracle/*.cpp test/oracle/*.hpp)
	@mkdir -p $(@D)
	$(CXX) $(CXX_STANDARD) $(CXX_WARNINGS) -O1 -isystem $(shell $(PG_CONFIG) --includedir) -o $@ \
		$(filter %.cpp,$^) -lpq -lpthread

deps:
	test/install_deps
demo: deps
	test/demo/run
demo-stop:
	test/demo/run stop
test: deps
	test/run
test-unit: $(UNIT)
	$(UNIT)
test-regress test-tap test-checks:
	test/run $(@:test-%=%)
test-versions:
	test/versions/run
# Every file call of the journal fails once, on a whole server: a quarter of an hour. `test/run faults` tries some.
# The kill loop of `make test`, at length: hours.
test-kill: deps
	HOOPGUARD_KILL_ROUNDS=$(or $(ROUNDS),5000) TEST_SECONDS=36000 test/run "tap 020_journal_kill_loop"
faults: deps
	test/cluster stage
	test/faults/run
test-peers: deps
	test/run build sqlsmith
	test/peers/postgres_regress
	test/peers/postgres_regress --labels
	test/peers/foresight
	test/peers/pgaudit
oracle: deps
	test/oracle/long
# SECONDS for each target: 10 are enough to see that all is well, hours to find something.
fuzz: deps
	test/fuzz/install_deps
	$(MAKE) -s $(FUZZ_TARGETS)
	test/fuzz/run $(SECONDS)
# Everything at once, for so many MINUTES (30).
soak: deps
	test/soak/run $(MINUTES)
bench: deps
	test/bench/run
	test/bench/journal
	$(MAKE) -s build/bench/decide_time && build/bench/decide_time
	test/bench/decide
	test/bench/mask
	test/bench/instructions
	test/bench/approval
	test/bench/review
	test/bench/gathering
	test/bench/login
	$(MAKE) -s build/bench/token
	build/bench/token
	$(MAKE) -s build/bench/detect && build/bench/detect
format:
	find src test -name '*.cpp' -o -name '*.hpp' | xargs clang-format -i
lint:
	test/check/lint

# What a release is made of: a source archive, and Debian packages built from it in a directory of their own.
VERSION = $(SQL_VERSION).0
dist:
	mkdir -p build
	git archive --prefix=hoopguard-$(VERSION)/ -o build/hoopguard-$(VERSION).tar.gz HEAD
package: dist
	test/package build/hoopguard-$(VERSION).tar.gz
# The built packages in a fresh root of Debian 12.
test-package:
	test/package_install
# The README's two commands in a fresh root of Debian 12.
test-clean:
	test/clean_root

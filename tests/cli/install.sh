# What "make install" leaves works for a user of the library and of the program.
. "$RETC_TESTS/cli/lib.sh"

# Into the folder "installed" of the case.
install_here() {
    build=$(dirname "$RETCODEC")
    [ -f "$build/Makefile" ] || skip "no build tree beside the program"
    prefix=$(sed -n 's/^prefix = //p' "$build/Makefile")
    (unset MAKEFLAGS MFLAGS MAKELEVEL && make -s -C "$build" install DESTDIR="$PWD/installed") >install.log 2>&1 ||
        fail "make install failed: $(tail -n 3 install.log)"
    root=$PWD/installed$prefix
}

flags() {
    PKG_CONFIG_PATH=$root/lib/pkgconfig pkg-config --define-prefix "$@" retcodec
}

library_compiles_and_links() {
    command -v pkg-config >/dev/null || skip "no pkg-config"
    command -v "${CC:-cc}" >/dev/null || skip "no C compiler"
    install_here
    cat >user.c <<'END'
#include <retcodec/retcodec.h>
#include <stdio.h>
int main(void) {
    retc_library_init();
    retc_recording *recording = retc_recording_open("nowhere.h5", 0);
    printf("%s: %s\n", retc_version(), recording ? "?" : retc_error_message());
    return 0;
}
END
    # The runtime of a sanitiser is in programs, not in libraries.
    not_sanitised() { ! nm -D "$root/lib/libretcodec.so" 2>/dev/null | grep -q __asan_report; }
    not_sanitised || skip "the library is built with a sanitiser"
    "${CC:-cc}" -Wall -Werror user.c -o user $(flags --cflags --libs)
    LD_LIBRARY_PATH=$root/lib expect 0 ./user
    prints "nowhere.h5: No such file or directory"
    command -v "${CXX:-c++}" >/dev/null || return 0
    "${CXX:-c++}" -x c++ -Wall -Werror user.c -o user $(flags --cflags --libs)
}

headers_compile_alone() {
    command -v pkg-config >/dev/null || skip "no pkg-config"
    command -v "${CC:-cc}" >/dev/null || skip "no C compiler"
    install_here
    for header in "$root"/include/retcodec/*.h; do
        echo "#include <retcodec/$(basename "$header")>" >alone.c
        "${CC:-cc}" -Wall -Werror -fsyntax-only alone.c $(flags --cflags) || fail "$header does not compile alone"
    done
}

only_our_names_are_exported() {
    command -v nm >/dev/null || skip "no nm"
    install_here
    nm -D --defined-only "$root/lib/libretcodec.so" | awk '$2 ~ /[TDBR]/ {print $3}' | grep -v '^retc_' >foreign || true
    [ ! -s foreign ] || fail "exported: $(cat foreign)"
}

installed_program_draws() {
    install_here
    [ -f "$root/share/retcodec/strip.gp" ] || fail "the gnuplot scripts are not installed"
    LD_LIBRARY_PATH=$root/lib expect 0 "$root/bin/retcodec" --version
    [ -s "$root/share/man/man1/retcodec-fit.1" ] || fail "the manual pages are not installed"
}

run_cases library_compiles_and_links headers_compile_alone only_our_names_are_exported installed_program_draws

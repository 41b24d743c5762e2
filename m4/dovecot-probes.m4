# MIGRATION_DOVECOT_TRY(VARIABLE, DESCRIPTION, INCLUDES, BODY)
# Defines VARIABLE when BODY compiles against the installed Dovecot headers.
AC_DEFUN([MIGRATION_DOVECOT_TRY], [
AC_CACHE_CHECK([whether $2], [migration_cv_$1], [
	migration_saved_CPPFLAGS=$CPPFLAGS
	migration_saved_CFLAGS=$CFLAGS
	CPPFLAGS="$CPPFLAGS -DHAVE_CONFIG_H $LIBDOVECOT_INCLUDE"
	CFLAGS="$CFLAGS -Werror=incompatible-pointer-types -Werror=implicit-function-declaration"
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
#include "lib.h"
$3]], [[$4]])],
		[migration_cv_$1=yes], [migration_cv_$1=no])
	CPPFLAGS=$migration_saved_CPPFLAGS
	CFLAGS=$migration_saved_CFLAGS])
AS_IF([test "$migration_cv_$1" = yes],
	[AC_DEFINE([$1], [1], [Define if $2])])
])

# MIGRATION_DOVECOT_PROBES: every difference that plugin/dovecot-compat.h hides.
AC_DEFUN([MIGRATION_DOVECOT_PROBES], [
MIGRATION_DOVECOT_TRY([HAVE_IMAP_PARSER_PARAMS],
	[imap_parser_create takes parameters],
	[#include "imap-parser.h"],
	[struct imap_parser_params params = { .list_count_limit = 1 };
	 (void)imap_parser_create(NULL, NULL, 0, &params);])
])

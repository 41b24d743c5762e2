/*
 * migration-report: reads syslog and tells how far a migration is
 *
 * main(): options, what is read, what is written. migration-report(1).
 */
#include "report-model.h"

#include <stdio.h>

int main(void)
{
	printf("%s %s\n", report_side_name(REPORT_OLD),
	       report_side_name(REPORT_NEW));
	return 0;
}

/*
 * report-example: a model such as the logs of a migration give, for tests
 *
 * Two weeks of a domain that was switched: most senders follow within a day, a
 * few straggle, the old server's milter was down for a while and the host of
 * both for half a day. A second domain and many strings were chosen by somebody
 * hostile. Every field and every kind of thing that the model has occurs.
 */
#ifndef REPORT_EXAMPLE_H
#define REPORT_EXAMPLE_H

#include "report/report-model.h"

/* A string that must be seen as a text, and nowhere as anything else. */
#define REPORT_EXAMPLE_SCRIPT "<script>document.title='taken'</script>"
#define REPORT_EXAMPLE_IMAGE "\"><img src=http://127.0.0.1:9/x onerror=alert(1)>"
#define REPORT_EXAMPLE_STYLE "</style></title><style>*{display:none}"

/* With that many sources more that straggle. To be freed with
   report_example_free(). */
struct report_model *report_example(size_t more_stragglers);
void report_example_free(struct report_model **model);
/* Nothing was read. Static. */
const struct report_model *report_example_empty(void);

#endif

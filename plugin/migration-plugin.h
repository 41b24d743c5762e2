#ifndef MIGRATION_PLUGIN_H
#define MIGRATION_PLUGIN_H

/*
 * migration-plugin: the module's life and its hooks into lib-storage.
 */

struct module;

/* Dovecot refuses a module built for another ABI by this name. */
extern const char *migration_plugin_version;

void migration_plugin_init(struct module *module);
void migration_plugin_deinit(void);

#endif

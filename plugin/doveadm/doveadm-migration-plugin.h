#ifndef DOVEADM_MIGRATION_PLUGIN_H
#define DOVEADM_MIGRATION_PLUGIN_H

/* The entry points that doveadm looks up in the module. */

struct module;

extern const char *doveadm_migration_plugin_version;

void doveadm_migration_plugin_init(struct module *module);
void doveadm_migration_plugin_deinit(void);

#endif

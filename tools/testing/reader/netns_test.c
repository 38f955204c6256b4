// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "table.h"

#define ID	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER	"fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define UID	"5a3d8f0e-5c0b-4d1c-9c59-0123456789ab"
#define UID_	"5a3d8f0e_5c0b_4d1c_9c59_0123456789ab"
#define HASH	"8c3d7e0f5a4b1c2d8c3d7e0f5a4b1c2d"

static struct portsock_netns_list list;
static struct portsock_error error;
static char dir[64], proc[80], names[80];

static void expect(const char *cgroup, const char *container_id, const char *pod_uid, const char *machine)
{
	struct portsock_netns netns = { .pid = 1 };
	char text[1024];

	snprintf(text, sizeof(text), "%s\n", cgroup);
	portsock_netns_cgroup(&netns, text);
	assert_string_equal(netns.container_id, container_id);
	assert_string_equal(netns.pod_uid, pod_uid);
	assert_string_equal(netns.machine, machine);
}

static void cgroup_of_the_host(void **state)
{
	(void)state;
	expect("0::/init.scope", "", "", "");
	expect("0::/", "", "", "");
	expect("0::/system.slice/nginx.service", "", "", "");
	expect("0::/user.slice/user-1000.slice/user@1000.service/app.slice/pods.service", "", "", "");
	expect("12:pids:/system.slice/docker.service\n1:name=systemd:/system.slice/docker.service\n0::/", "", "", "");
	expect("", "", "", "");
}

static void cgroup_of_docker(void **state)
{
	(void)state;
	expect("0::/system.slice/docker-" ID ".scope", ID, "", "");
	expect("12:pids:/docker/" ID "\n11:cpu,cpuacct:/docker/" ID "\n0::/system.slice/containerd.service", ID, "", "");
	expect("0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" ID ".scope", ID, "", "");
	/* docker in docker */
	expect("0::/docker/" OTHER "/docker/" ID, ID, "", "");
}

static void cgroup_of_containerd(void **state)
{
	(void)state;
	expect("0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_ ".slice/cri-containerd-" ID ".scope",
	       ID, UID, "");
	expect("0::/system.slice/containerd.service/kubepods-besteffort-pod" UID_ ".slice:cri-containerd:" ID,
	       ID, UID, "");
	expect("0::/system.slice/nerdctl-" ID ".scope", ID, "", "");
	expect("0::/default/" ID, ID, "", "");
}

static void cgroup_of_crio(void **state)
{
	(void)state;
	expect("0::/kubepods.slice/kubepods-pod" UID_ ".slice/crio-" ID ".scope/container", ID, UID, "");
	expect("4:memory:/kubepods/besteffort/pod" UID "/crio-" ID, ID, UID, "");
	expect("0::/kubepods.slice/kubepods-pod" UID_ ".slice/crio-conmon-" ID ".scope", "", UID, "");
}

static void cgroup_of_podman(void **state)
{
	(void)state;
	expect("0::/machine.slice/libpod-" ID ".scope/container", ID, "", "");
	expect("0::/machine.slice/machine-libpod_pod_" OTHER ".slice/libpod-" ID ".scope", ID, "", "");
	expect("0::/libpod_parent/libpod-" ID, ID, "", "");
	expect("0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope/container", ID, "", "");
	expect("0::/machine.slice/libpod-conmon-" ID ".scope", "", "", "");
}

static void cgroup_of_kubepods(void **state)
{
	(void)state;
	expect("0::/kubepods/burstable/pod" UID "/" ID, ID, UID, "");
	expect("0::/kubepods/burstable/pod" HASH "/" ID, ID, HASH, "");
	/* kind: a node is a container */
	expect("0::/docker/" OTHER "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/"
	       "kubelet-kubepods-besteffort-pod" UID_ ".slice/cri-containerd-" ID ".scope", ID, UID, "");
	expect("0::/kubepods/burstable/podcast/" ID, ID, "", "");
}

static void cgroup_of_nspawn(void **state)
{
	(void)state;
	expect("0::/machine.slice/systemd-nspawn@web.service/payload/init.scope", "", "", "web");
	expect("0::/machine.slice/machine-my\\x2dweb.scope/payload", "", "", "my-web");
	expect("1:name=systemd:/machine.slice/machine-web.scope", "", "", "web");
	expect("0::/machine.slice/machine-a\\x1bb.scope", "", "", "a\\x1bb");
	expect("0::/machine.slice/machine-.scope", "", "", "");
	/* A user may call control groups of his own whatever he likes. */
	expect("0::/user.slice/machine-\033[31m\xc3\xa4.scope", "", "", "?[31m??");
}

static void cgroup_that_does_not_fit(void **state)
{
	(void)state;
	expect("0::/machine-0123456789012345678901234567890123456789012345678901234567890123456789.scope",
	       "", "", "0123456789012345678901234567890123456789012345678901234567890123");
	expect("0::/docker/" ID "0", "", "", "");
	expect("0::/docker-0" ID, "", "", "");
}

static void shell(const char *command)
{
	char text[1024];

	snprintf(text, sizeof(text), "cd %s && { %s; }", dir, command);
	assert_int_equal(system(text), 0);
}

static int tree_make(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/netns_test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(proc, sizeof(proc), "%s/proc", dir);
	snprintf(names, sizeof(names), "%s/run", dir);
	/* Tables are files: two processes share a namespace when theirs are links to one. */
	shell("mkdir -p proc/self proc/sys run; n=1; for pid in 1 9 10 200 3000; do"
	      " mkdir -p proc/$pid/net; echo process $pid > proc/$pid/comm; echo 0::/ > proc/$pid/cgroup; done;"
	      "echo host > proc/1/net/portsock; ln proc/1/net/portsock proc/3000/net/;"
	      "echo box > proc/10/net/portsock; ln proc/10/net/portsock proc/9/net/;"
	      "echo blue > proc/200/net/portsock; printf 'a\\033b\\377' > proc/200/comm;"
	      "echo 0::/machine.slice/machine-web.scope > proc/9/cgroup");

	return 0;
}

static int tree_remove(void **state)
{
	(void)state;
	portsock_netns_clear(&list);
	shell("rm -r proc run && rmdir $PWD");

	return 0;
}

static void find(void)
{
	portsock_netns_clear(&list);
	if (portsock_netns_find(&list, proc, names, &error))
		fail_msg("%s", error.text);
}

static void each_namespace_is_found_once(void **state)
{
	(void)state;
	find();
	assert_int_equal(list.nr, 3);
	assert_int_equal(list.skipped, 0);
	assert_int_equal(list.all[0]->pid, 1);
	assert_string_equal(list.all[0]->comm, "process 1");
	assert_int_equal(list.all[1]->pid, 9);
	assert_string_equal(list.all[1]->machine, "web");
	assert_int_equal(list.all[2]->pid, 200);
	assert_string_equal(list.all[2]->comm, "a?b?");
}

static void process_gone_is_skipped(void **state)
{
	(void)state;
	shell("rm proc/9/comm proc/200/net/portsock");
	find();
	assert_int_equal(list.nr, 2);
	assert_int_equal(list.skipped, 2);
	assert_int_equal(list.all[1]->pid, 10);
}

static ino_t inode_of(const char *name)
{
	char path[100];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", names, name);
	assert_int_equal(stat(path, &st), 0);

	return st.st_ino;
}

static void name_is_that_of_the_inode(void **state)
{
	struct portsock_netns *web;

	(void)state;
	shell("touch run/blue run/green run/.hidden");
	find();
	web = list.all[1];
	assert_string_equal(portsock_netns_name(&list, web, inode_of("blue")), "blue");
	assert_string_equal(portsock_netns_name(&list, web, inode_of("green")), "green");
	assert_int_equal(list.nr_names, 2);
	assert_string_equal(portsock_netns_name(&list, web, 4026531840), "web");
	assert_null(portsock_netns_name(&list, list.all[0], 4026531840));
	shell("rm run/*");
	find();
	assert_int_equal(list.nr_names, 0);
	assert_string_equal(portsock_netns_name(&list, list.all[1], 1), "web");
}

static void label_is_the_best_there_is(void **state)
{
	char label[64];

	(void)state;
	shell("touch 'run/b\033'; echo 0::/docker/" ID " > proc/200/cgroup");
	find();
	portsock_netns_label(&list, list.all[0], 1, label, sizeof(label));
	assert_string_equal(label, "process 1/1");
	portsock_netns_label(&list, list.all[1], 1, label, sizeof(label));
	assert_string_equal(label, "web");
	portsock_netns_label(&list, list.all[2], 1, label, sizeof(label));
	assert_string_equal(label, "0123456789ab");
	portsock_netns_label(&list, list.all[2], inode_of("b\033"), label, sizeof(label));
	assert_string_equal(label, "b?");
}

static void table_of_a_namespace_is_opened(void **state)
{
	struct portsock_source source;
	char line[16];

	(void)state;
	find();
	assert_int_equal(portsock_netns_open(&list, list.all[1], &source, &error), 1);
	assert_non_null(fgets(line, sizeof(line), source.in));
	assert_string_equal(line, "box\n");
	fclose(source.in);
}

static void table_of_another_namespace_is_not(void **state)
{
	struct portsock_source source;

	(void)state;
	find();
	shell("rm proc/9/net/portsock; echo other > proc/9/net/portsock; rm proc/200/net/portsock");
	assert_int_equal(portsock_netns_open(&list, list.all[1], &source, &error), 0);
	assert_int_equal(portsock_netns_open(&list, list.all[2], &source, &error), 0);
	shell("ln -s loop proc/200/net/loop; ln -s loop proc/200/net/portsock");
	assert_int_equal(portsock_netns_open(&list, list.all[2], &source, &error), -1);
}

static void no_table_is_an_error(void **state)
{
	char wanted[256];

	(void)state;
	shell("rm -r proc/[0-9]*");
	assert_int_equal(portsock_netns_find(&list, proc, names, &error), -1);
	snprintf(wanted, sizeof(wanted), "%s: no process has a table (is the module loaded? modprobe portsock)", proc);
	assert_string_equal(error.text, wanted);
	assert_int_equal(portsock_netns_find(&list, "/nonexistent", names, &error), -1);
	assert_string_equal(error.text, "/nonexistent: No such file or directory");
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, tree_make, tree_remove)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(cgroup_of_the_host),
		cmocka_unit_test(cgroup_of_docker),
		cmocka_unit_test(cgroup_of_containerd),
		cmocka_unit_test(cgroup_of_crio),
		cmocka_unit_test(cgroup_of_podman),
		cmocka_unit_test(cgroup_of_kubepods),
		cmocka_unit_test(cgroup_of_nspawn),
		cmocka_unit_test(cgroup_that_does_not_fit),
		TREE_TEST(each_namespace_is_found_once),
		TREE_TEST(process_gone_is_skipped),
		TREE_TEST(name_is_that_of_the_inode),
		TREE_TEST(label_is_the_best_there_is),
		TREE_TEST(table_of_a_namespace_is_opened),
		TREE_TEST(table_of_another_namespace_is_not),
		TREE_TEST(no_table_is_an_error),
	};

	return cmocka_run_group_tests_name("netns", tests, NULL, NULL);
}

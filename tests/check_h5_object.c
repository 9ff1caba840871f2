/* Objects, links and references, in files that HDF5's own functions made. */
#include <hdf5.h>
#include <string.h>

#include "h5_object.h"
#include "testing.h"

static hid_t
make_dataset(hid_t file, const char *name, double value) {
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t id = H5Dcreate2(file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(id >= 0 && H5Dwrite(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value) >= 0);
    H5Sclose(space);
    return id;
}

static void
make_group(hid_t file, const char *name) {
    hid_t id = H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(id >= 0);
    H5Gclose(id);
}

/* An attribute of n elements, or a scalar where n is 0. */
static void
set_attribute(hid_t owner, const char *name, hid_t type, hsize_t n, const void *value) {
    hid_t space = n ? H5Screate_simple(1, &n, NULL) : H5Screate(H5S_SCALAR);
    hid_t id = H5Acreate2(owner, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(id >= 0 && H5Awrite(id, type, value) >= 0);
    H5Aclose(id);
    H5Sclose(space);
}

static hid_t
text_type(size_t size, H5T_str_t padding, H5T_cset_t set) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    H5Tset_strpad(type, padding);
    H5Tset_cset(type, set);
    return type;
}

static hid_t
make_file(const char *name) {
    hid_t file = H5Fcreate(retc_test_path(name), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(file >= 0);
    return file;
}

static retc_h5 *
open_file(const char *name) {
    retc_h5 *file = retc_h5_open(retc_test_path(name));
    ck_assert_msg(file != NULL, "%s", retc_error_message());
    return file;
}

START_TEST(test_links) {
    hid_t other = make_file("other.h5"), raw = make_file("links.h5");
    H5Dclose(make_dataset(other, "far", 7.5));
    H5Fclose(other);
    make_group(raw, "group");
    H5Dclose(make_dataset(raw, "group/near", 2.5));
    H5Lcreate_hard(raw, "group/near", raw, "hard", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/group/near", raw, "soft", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/nothing", raw, "dangling", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("other.h5", "/far", raw, "external", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("gone.h5", "/far", raw, "lost", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(raw);

    retc_h5 *file = open_file("links.h5");
    retc_h5_identity near, hard, soft, external, root;
    double x = 0;
    ck_assert_int_eq(retc_h5_look(file, "group/near", &near), RETC_H5_DATASET);
    ck_assert_int_eq(retc_h5_look(file, "hard", &hard), RETC_H5_DATASET);
    ck_assert_int_eq(retc_h5_look(file, "soft", &soft), RETC_H5_DATASET);
    ck_assert_int_eq(retc_h5_look(file, "external", &external), RETC_H5_DATASET);
    ck_assert_int_eq(retc_h5_look(file, "group", NULL), RETC_H5_GROUP);
    ck_assert_int_eq(retc_h5_look(file, "/", &root), RETC_H5_GROUP);
    ck_assert_int_eq(retc_h5_look(file, "dangling", NULL), RETC_H5_NOTHING);
    ck_assert_int_eq(retc_h5_look(file, "lost", NULL), RETC_H5_NOTHING);
    ck_assert_uint_eq(near.address, hard.address);
    ck_assert_uint_eq(near.file, hard.file);
    ck_assert_uint_eq(near.address, soft.address);
    ck_assert_uint_eq(root.file, near.file);
    ck_assert_uint_ne(external.file, near.file);
    ck_ok(retc_h5_read(file, "external", RETC_H5_DOUBLE, NULL, NULL, &x));
    ck_assert_double_eq(x, 7.5);
    char *name = retc_h5_link_file(file, "external");
    ck_assert_str_eq(name, "other.h5");
    retc_free(name);
    ck_assert_ptr_null(retc_h5_link_file(file, "soft"));
    ck_assert_ptr_null(retc_h5_link_file(file, "group"));
    ck_assert_ptr_null(retc_h5_link_file(file, "nothing"));
    retc_h5_close(file);
}
END_TEST

/* The three storages of strings that other programs use, as arrays in attributes. */
START_TEST(test_text_attributes) {
    static const char *const words[2] = {"id", "spike_times"};
    hid_t raw = make_file("texts.h5"), variable = text_type(H5T_VARIABLE, H5T_STR_NULLTERM, H5T_CSET_UTF8);
    hid_t ascii = text_type(H5T_VARIABLE, H5T_STR_NULLTERM, H5T_CSET_ASCII);
    hid_t padded = text_type(11, H5T_STR_NULLPAD, H5T_CSET_ASCII), blank = text_type(12, H5T_STR_SPACEPAD, H5T_CSET_ASCII);
    int number = 3;
    set_attribute(raw, "variable", variable, 2, words);
    set_attribute(raw, "ascii", ascii, 2, words);
    set_attribute(raw, "padded", padded, 2, "id\0\0\0\0\0\0\0\0\0spike_times");
    set_attribute(raw, "blank", blank, 2, "id          spike_times ");
    set_attribute(raw, "scalar", variable, 0, words);
    set_attribute(raw, "number", H5T_NATIVE_INT, 0, &number);
    H5Fclose(raw);
    H5Tclose(variable);
    H5Tclose(ascii);
    H5Tclose(padded);
    H5Tclose(blank);

    retc_h5 *file = open_file("texts.h5");
    static const char *const names[4] = {"variable", "ascii", "padded", "blank"};
    char **texts = NULL;
    size_t n = 0;
    for (size_t i = 0; i < 4; ++i) {
        ck_ok(retc_h5_get_texts(file, "/", names[i], &texts, &n));
        ck_assert_uint_eq(n, 2);
        ck_assert_str_eq(texts[0], "id");
        ck_assert_str_eq(texts[1], "spike_times");
        retc_free(texts);
    }
    ck_ok(retc_h5_get_texts(file, "/", "scalar", &texts, &n));
    ck_assert_uint_eq(n, 1);
    retc_free(texts);
    ck_assert_int_eq(retc_h5_has_attribute(file, "/", "scalar"), 1);
    ck_assert_int_eq(retc_h5_has_attribute(file, "/", "other"), 0);
    ck_assert_int_eq(retc_h5_has_attribute(file, "nothing", "other"), 0);
    ck_fails(retc_h5_get_texts(file, "/", "number", &texts, &n), "\"number\" holds no text");
    ck_fails(retc_h5_get_texts(file, "/", "other", &texts, &n), "attribute \"other\" of \"/\" is missing");
    retc_h5_close(file);
}
END_TEST

START_TEST(test_references) {
    hid_t raw = make_file("references.h5");
    hobj_ref_t list[4] = {0};
    hsize_t four[2] = {2, 2};
    double value = 1;
    make_group(raw, "b");
    H5Dclose(make_dataset(raw, "b/two", 2));
    H5Dclose(make_dataset(raw, "b/one", value));
    ck_assert(H5Rcreate(&list[0], raw, "b/two", H5R_OBJECT, -1) >= 0);
    ck_assert(H5Rcreate(&list[1], raw, "b/one", H5R_OBJECT, -1) >= 0);
    ck_assert(H5Rcreate(&list[3], raw, "b", H5R_OBJECT, -1) >= 0); /* list[2] leads nowhere */
    hid_t space = H5Screate_simple(2, four, NULL);
    hid_t id = H5Dcreate2(raw, "list", H5T_STD_REF_OBJ, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(H5Dwrite(id, H5T_STD_REF_OBJ, H5S_ALL, H5S_ALL, H5P_DEFAULT, list) >= 0);
    set_attribute(raw, "table", H5T_STD_REF_OBJ, 0, &list[3]);
    set_attribute(raw, "number", H5T_NATIVE_DOUBLE, 0, &value);
    H5Dclose(id);
    H5Sclose(space);

    /* Part of a dataset. */
    hdset_reg_ref_t region;
    hsize_t three = 3, first = 1, one = 1;
    space = H5Screate_simple(1, &three, NULL);
    H5Dclose(H5Dcreate2(raw, "long", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sselect_hyperslab(space, H5S_SELECT_SET, &first, NULL, &one, NULL);
    ck_assert(H5Rcreate(&region, raw, "long", H5R_DATASET_REGION, space) >= 0);
    set_attribute(raw, "region", H5T_STD_REF_DSETREG, 0, &region);
    H5Sclose(space);
    H5Fclose(raw);

    retc_h5 *file = open_file("references.h5");
    char **paths = NULL, *path = NULL;
    size_t n = 0;
    ck_ok(retc_h5_read_references(file, "list", &paths, &n));
    ck_assert_uint_eq(n, 4);
    ck_assert_str_eq(paths[0], "b/two");
    ck_assert_str_eq(paths[1], "b/one");
    ck_assert_str_eq(paths[2], "");
    ck_assert_str_eq(paths[3], "b");
    retc_free(paths);
    ck_assert_int_eq(retc_h5_is_reference(file, "list"), 1);
    ck_assert_int_eq(retc_h5_is_reference(file, "b/one"), 0);
    ck_fails(retc_h5_read_references(file, "b/one", &paths, &n), "\"b/one\" holds no references");
    ck_ok(retc_h5_get_reference(file, "/", "table", &path));
    ck_assert_str_eq(path, "b");
    retc_free(path);
    ck_ok(retc_h5_get_reference(file, "/", "region", &path));
    ck_assert_str_eq(path, "long");
    retc_free(path);
    ck_fails(retc_h5_get_reference(file, "/", "number", &path), "attribute \"number\" of \"/\" is not one reference");
    retc_h5_close(file);
}
END_TEST

static Suite *
object_suite(void) {
    Suite *suite = suite_create("h5 objects");
    TCase *objects = tcase_create("objects");
    tcase_add_test(objects, test_links);
    tcase_add_test(objects, test_text_attributes);
    tcase_add_test(objects, test_references);
    suite_add_tcase(suite, objects);
    return suite;
}

int
main(void) {
    return retc_test_main(object_suite(), NULL);
}

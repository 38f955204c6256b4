// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "negotiate.h"

#define BLANKS " \t"

/* A word of a header: without blanks around it, and without quotes. */
struct word {
	const char *text;
	size_t length;
};

/* Return: the word before the next of the separators; @text then points behind that, to NULL at the end. */
static struct word word_next(const char **text, const char *separators)
{
	struct word word;
	const char *end;

	word.text = *text + strspn(*text, BLANKS "\"");
	end = *text + strcspn(*text, separators);
	*text = *end ? end + 1 : NULL;
	while (end > word.text && strchr(BLANKS "\"", end[-1]))
		end--;
	word.length = end > word.text ? end - word.text : 0;

	return word;
}

static bool word_is(const struct word *word, const char *what)
{
	return word->length == strlen(what) && !strncasecmp(word->text, what, word->length);
}

/* Return: the weight of a range, 0 if its version is neither of these. */
static double weight_of(const char *parameters, size_t length, const char *version, const char *other)
{
	const char *end = parameters + length, *text = parameters;
	struct word name, value;
	double weight = 1;

	while (text && text < end) {
		name = word_next(&text, "=;,");
		if (!text || text > end || text[-1] != '=')
			continue;
		value = word_next(&text, ";,");
		if (word_is(&name, "q"))
			weight = strtod(value.text, NULL);
		else if (word_is(&name, "version") && !word_is(&value, version) && !word_is(&value, other))
			return 0;
	}

	return weight;
}

/* Return: the highest weight that a list gives to a name; of those that have versions, to one of these. */
static double list_weight(const char *list, const char *what, const char *version, const char *other)
{
	double weight, highest = 0;
	const char *parameters;
	struct word name;
	size_t length;

	for (; list && *list; list = list[length] ? list + length + 1 : NULL) {
		length = strcspn(list, ",");
		parameters = list;
		name = word_next(&parameters, ";,");
		if (!word_is(&name, what))
			continue;
		if (!parameters || parameters > list + length)
			parameters = list + length;
		weight = weight_of(parameters, list + length - parameters, version, other);
		if (weight > highest)
			highest = weight;
	}

	return highest;
}

bool portsock_wants_openmetrics(const char *accept)
{
	double weight = list_weight(accept, "application/openmetrics-text", "1.0.0", "1.0.0");

	return weight > 0 && weight >= list_weight(accept, "text/plain", "0.0.4", "1.0.0");
}

bool portsock_wants_gzip(const char *encodings)
{
	return list_weight(encodings, "gzip", "", "") > 0;
}

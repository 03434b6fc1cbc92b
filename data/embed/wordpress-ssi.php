<?php
/*
 * Plugin Name: Masthead: directives that visitors write
 *
 * For WordPress behind nginx-ssi.conf or varnish-esi.vcl only: put this file into wp-content/mu-plugins/. WordPress keeps HTML
 * comments in what visitors write, and nginx and Varnish obey what stands in them. Here they become text; the placeholder
 * stands in the theme, which is not filtered.
 */
function masthead_disarm( $text ) {
	return is_string( $text ) ? preg_replace( '/<(?=!--#|!--esi|\/?esi:)/i', '&lt;', $text ) : $text;
}

foreach ( array(
	'comment_text', 'comment_text_rss', 'comment_excerpt', 'get_comment_text', 'get_comment_excerpt',
	'comment_author', 'comment_author_rss', 'get_comment_author', 'get_comment_author_link', 'get_comment_author_url_link',
	'the_title', 'the_title_rss', 'single_post_title', 'wp_title', 'document_title',
	'the_content', 'the_content_feed', 'the_excerpt', 'the_excerpt_rss', 'get_the_excerpt',
	'the_author', 'the_author_posts_link', 'get_the_author_description', 'get_search_query', 'widget_text', 'widget_title',
) as $masthead_hook ) {
	add_filter( $masthead_hook, 'masthead_disarm', PHP_INT_MAX );
}

<?php

// Receives Waypost's webhooks: verifies the signature and drops repeats.
// Needs PHP 8.0, no packages.

declare(strict_types=1);

const BODY_LIMIT = 1024 * 1024;
const TOLERANCE_SECONDS = 5 * 60;
const REMEMBERED_IDS = 10_000;

// With display_errors on, PHP answers 200 to an uncaught exception, and Waypost would not retry.
ini_set('display_errors', '0');
ini_set('log_errors', '1');
http_response_code(receive());

function receive(): int
{
    if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
        return 405;
    }
    // The signature covers the bytes as sent; parsed and re-encoded JSON does not verify.
    $body = file_get_contents('php://input', length: BODY_LIMIT + 1);
    if (strlen($body) > BODY_LIMIT) {
        return 413;
    }
    $id = verify($_SERVER, $body, read_key((string) getenv('WEBHOOK_SECRET')));
    if ($id === null) {
        return 400;
    }
    handle_once($id, $body);
    return 204;
}

function read_key(string $secret): string
{
    $key = base64_decode(substr($secret, strlen('whsec_')), strict: true);
    if (!str_starts_with($secret, 'whsec_') || $key === false || strlen($key) < 24) {
        throw new Exception('WEBHOOK_SECRET must be whsec_ and base64 of at least 24 bytes');
    }
    return $key;
}

/** Returns the verified webhook-id, or null. */
function verify(array $headers, string $body, string $key): ?string
{
    $id = $headers['HTTP_WEBHOOK_ID'] ?? '';
    $timestamp = $headers['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    $signatures = $headers['HTTP_WEBHOOK_SIGNATURE'] ?? '';
    if ($id === '' || !preg_match('/^[0-9]{1,12}$/D', $timestamp)) {
        return null;
    }
    // Limits how long a recorded request can be replayed.
    if (abs(time() - (int) $timestamp) > TOLERANCE_SECONDS) {
        return null;
    }
    $mac = hash_hmac('sha256', "$id.$timestamp.$body", $key, binary: true);
    $expected = 'v1,' . base64_encode($mac);
    // During a rotation the header carries one signature per secret, separated by spaces.
    foreach (explode(' ', $signatures) as $signature) {
        // `===` would leak by its timing how many characters match.
        if (hash_equals($expected, $signature)) {
            return $id;
        }
    }
    return null;
}

// PHP keeps no memory between requests, so a locked file in the temporary directory holds the ids.
// In production, insert the id into a table with a unique key, in the transaction that applies the
// event, and keep it for 30 days.
function handle_once(string $id, string $body): void
{
    $store = fopen(getenv('HANDLED_IDS') ?: sys_get_temp_dir() . '/waypost-handled-ids', 'c+');
    flock($store, LOCK_EX); // until fclose
    $handled = explode("\n", stream_get_contents($store));
    if (!in_array($id, $handled, strict: true)) {
        handle($id, $body);
        // Recorded after handling: if handle throws, the answer is 500 and Waypost sends it again.
        ftruncate($store, 0);
        rewind($store);
        fwrite($store, implode("\n", array_slice([...$handled, $id], -REMEMBERED_IDS)));
    }
    fclose($store);
}

/** Your code. Waypost waits only seconds for the answer: queue slow work. */
function handle(string $id, string $body): void
{
    // echo would write into the answer. json_decode($body) gives the event.
    file_put_contents('php://stdout', "handled $id\n");
}

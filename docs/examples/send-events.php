<?php

/**
 * Sends a JSON array of events from standard input to Orderwright, with the curl extension.
 *
 * Prints one line per event, in order: id, outcome, and of a refused one why. Ends with 1 when one was refused.
 *
 *     ORDERWRIGHT_URL      default http://127.0.0.1:3100
 *     ORDERWRIGHT_API_KEY  not needed on the machine of an API without keys
 */

declare(strict_types=1);

const BATCH_MAX = 100;
const TIMEOUT_S = 15;
const DEADLINE_S = 60;

/** One result per event, in order. Batches leave one after the other. */
function send(array $events): array
{
    $endsAt = microtime(true) + DEADLINE_S;
    $results = [];
    foreach (array_chunk($events, BATCH_MAX) as $batch) {
        array_push($results, ...sendBatch($batch, $endsAt));
    }
    return $results;
}

function sendBatch(array $events, float $endsAt): array
{
    for ($tries = 1; ; $tries += 1) {
        [$status, $retryAfter, $body] = post($events);
        if ($status !== 0 && $status < 500 && $status !== 429) {
            $results = json_decode($body, true)['results'] ?? null;
            return $results ?? throw new RuntimeException("status $status: $body");
        }
        // Nobody answered, or somebody who will. The same events again: each is applied once.
        $wait = $retryAfter + lcg_value() * min(10, 0.25 * 2 ** $tries);
        if (microtime(true) + $wait > $endsAt) {
            throw new RuntimeException('not taken in ' . DEADLINE_S . " s; status $status: $body");
        }
        usleep((int) ($wait * 1e6));
    }
}

/** Status (0 when nobody answered), seconds of Retry-After, body. */
function post(array $events): array
{
    $key = getenv('ORDERWRIGHT_API_KEY');
    $retryAfter = 0;
    $curl = curl_init((getenv('ORDERWRIGHT_URL') ?: 'http://127.0.0.1:3100') . '/v1/events');
    curl_setopt_array($curl, [
        CURLOPT_POST => true,
        // Objects are decoded as objects, so that an empty one does not come back as a list.
        CURLOPT_POSTFIELDS => json_encode($events, JSON_THROW_ON_ERROR | JSON_PRESERVE_ZERO_FRACTION),
        CURLOPT_HTTPHEADER => [
            'content-type: application/json',
            ...($key ? ["authorization: Bearer $key"] : []),
        ],
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => TIMEOUT_S,
        CURLOPT_HEADERFUNCTION => function ($curl, string $line) use (&$retryAfter): int {
            if (preg_match('/^retry-after: *(\d+)/i', $line, $found)) {
                $retryAfter = (int) $found[1];
            }
            return strlen($line);
        },
    ]);
    $body = curl_exec($curl);
    $status = $body === false ? 0 : curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
    return [$status, $retryAfter, $body === false ? curl_error($curl) : $body];
}

$events = json_decode(stream_get_contents(STDIN), false, 64, JSON_THROW_ON_ERROR);
$results = send($events);
foreach ($results as $place => $result) {
    echo implode("\t", [$events[$place]->id, $result['outcome'], ...array_values($result['problem'] ?? [])]), "\n";
}
exit(array_filter($results, fn(array $result): bool => $result['outcome'] !== 'accepted') === [] ? 0 : 1);

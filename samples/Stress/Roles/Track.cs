using System.Diagnostics;
using Google.Protobuf;
using GrpcShm.EventBus;
using Samples.Stress.Journals;
using XStateNet.Events.V1;

namespace Samples.Stress.Roles;

/// <summary>The events from one producer to one consumer, numbered from one without a gap.</summary>
/// <remarks>
/// Several events are on their way at a time. An event is done when the bus has acknowledged that the consumer has
/// processed it, and the journal has noted this. If an event fails, the events after it may have been refused or not.
/// So the track waits until all are answered, and goes back to the first event without an acknowledgement. A new
/// life of the producer also begins there.
/// </remarks>
internal sealed class Track(EventClient bus, Journal journal, int producer, int consumer, TrackOptions options)
{
    private static readonly EventSendOptions Sending = new() { Acknowledgement = AcknowledgementLevel.Processed };
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    // If everything works, there is always an answer within this time, also if a killed hub is started again.
    private static readonly TimeSpan Patience = StressBus.SendTime + TimeSpan.FromMinutes(3);

    private readonly int _sentTrack = ProducerJournal.SentTrack(journal, consumer);
    private readonly Queue<(StressEvent Event, Task<EventSendResult> Sent)> _onTheirWay = new();
    private readonly long _started = Stopwatch.GetTimestamp();
    private long _next;
    private long _highest = ProducerJournal.ReadSent(journal, consumer);
    private long _sentNow;
    private TimeSpan _pause = ShortestPause;

    /// <summary>Sends until no more events are wanted and all are acknowledged.</summary>
    public async Task RunAsync(Task draining)
    {
        GoBack();
        while (true)
        {
            if (!draining.IsCompleted || _next <= _highest)
            {
                Send(draining);
            }

            if (_onTheirWay.TryPeek(out var first))
            {
                await AcknowledgeAsync(first.Event, first.Sent);
            }
            else if (draining.IsCompleted)
            {
                return;
            }
            else
            {
                // The track is ahead of its rate.
                await Task.Delay(ShortestPause);
            }
        }
    }

    private void Send(Task draining)
    {
        while (_onTheirWay.Count < options.InFlight && (_next <= _highest || (!draining.IsCompleted && MayMakeOne())))
        {
            var isAgain = _next <= _highest;
            if (!isAgain)
            {
                // This comes before the send, since the next life must know every event that may have been processed.
                _highest = _next;
                journal.Write(_sentTrack, new Position(_next, 0));
            }

            var sending = StressEvent.Create(producer, consumer, _next, options.MaxBody, out var payload);
            _onTheirWay.Enqueue((sending, bus.SendEventAsync(
                StressBus.ProducerId(producer),
                StressBus.ConsumerId(consumer),
                "STRESS",
                UnsafeByteOperations.UnsafeWrap(payload),
                Sending)));
            journal.Count(Counter.Sent);
            journal.Count(Counter.SentAgain, isAgain ? 1 : 0);
            _next++;
            _sentNow++;
        }
    }

    private bool MayMakeOne() =>
        options.Rate == 0 || _sentNow < options.Rate * Stopwatch.GetElapsedTime(_started).TotalSeconds;

    private async Task AcknowledgeAsync(StressEvent sent, Task<EventSendResult> sending)
    {
        try
        {
            await sending.WaitAsync(Patience);
            _onTheirWay.Dequeue();
            var acknowledged = ProducerJournal.ReadAcknowledged(journal, consumer);
            journal.Write(consumer, new Position(sent.Sequence, sent.Extend(acknowledged.Digest)));
            _pause = ShortestPause;
        }
        catch (EventBusException)
        {
            journal.Count(Counter.Failed);
            await SettleAsync();
        }
        catch (TimeoutException)
        {
            journal.Count(Counter.Hung);
            throw new IOException(
                $"Event {sent.Sequence} of {producer} to {consumer} was not answered within {Patience}.");
        }
    }

    // The events after the failed one get an answer soon. They are sent again, whatever the answer is.
    private async Task SettleAsync()
    {
        Task all = Task.WhenAll(_onTheirWay.Select(one => one.Sent)).WaitAsync(Patience);
        await all.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_onTheirWay.Any(one => !one.Sent.IsCompleted))
        {
            journal.Count(Counter.Hung);
            throw new IOException($"Events of {producer} to {consumer} were not answered within {Patience}.");
        }

        _onTheirWay.Clear();
        await Task.Delay(_pause * (0.5 + Random.Shared.NextDouble()));
        _pause = _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
        GoBack();
    }

    private void GoBack() => _next = ProducerJournal.ReadAcknowledged(journal, consumer).Sequence + 1;
}

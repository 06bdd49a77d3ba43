using Grpc.Core;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Service;

/// <summary>Writes a session's responses. It is the one writer of the session's stream.</summary>
internal sealed class SessionWriter
{
    // A client that sends and never reads must not fill the memory with many or large answers.
    private const int MaxOutcomes = 65_536;
    private const long MaxOutcomeBytes = 64 * 1024 * 1024;

    // As for deliveries: the last outcome of a response may be as large as an event, and those before it are small.
    private const int MaxOutcomesOfAResponse = 4096;

    // About how much memory an outcome takes beside its bytes.
    private const int PlainOutcome = 64;

    private readonly IServerStreamWriter<HubSessionResponse> _stream;
    private readonly Outbox _outbox;
    private readonly EventBusMetrics _metrics;
    private readonly OutgoingNotices _notices;
    private readonly DeliveryBatch _batch;
    private readonly HubSessionResponse _response = new(new SessionResponse());
    private readonly Action<Subscriber, long> _addLoss;
    private readonly Lock _outcomesLock = new();

    // The bytes of the notices that came while the last response was filled.
    private int _noticeBytes;

    // Under the lock. An entry without an outcome says up to which command the session had come when it was put in.
    private readonly Queue<(OutgoingOutcome? Outcome, int Size, ulong Through)> _outcomes = new();
    private long _outcomeBytes;
    private ulong _markedThrough;
    private ulong _completedThrough;
    private ulong _reportedThrough;
    private SessionClosing? _closing;
    private volatile bool _isEnding;
    private volatile bool _mayUseParts;

    public SessionWriter(
        IServerStreamWriter<HubSessionResponse> stream, Outbox outbox, OutgoingNotices notices, EventBusMetrics metrics)
    {
        _notices = notices;
        _stream = stream;
        _outbox = outbox;
        _metrics = metrics;
        _batch = new DeliveryBatch(outbox);
        _addLoss = AddLoss;
    }

    /// <summary>Says that the session is opened, then writes responses until <see cref="End"/>.</summary>
    public async Task RunAsync(SessionOpened opened)
    {
        await _stream.WriteAsync(new HubSessionResponse(new SessionResponse { Opened = opened })).ConfigureAwait(false);
        var isOnSendersThread = false;
        while (true)
        {
            // Read before the work is looked for: work that came before the end is still written.
            var isEnding = _isEnding;
            while (Fill())
            {
                var isLarge = _mayUseParts
                    && MessageParts.MayBeNeeded(_batch.Bytes + _noticeBytes)
                    && _response.CalculateSize() > MessageSize.UsualLimit;
                await (isLarge ? WriteInPartsAsync() : _stream.WriteAsync(_response)).ConfigureAwait(false);
                _metrics.CountDelivered(_batch.Recipients);
                Recycle();
                if (isOnSendersThread && _outbox.HasReady)
                {
                    // Events that others send in the meantime must not hold the thread of this one sender.
                    isOnSendersThread = false;
                    await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                }
            }

            if (isEnding)
            {
                if (_closing is not null)
                {
                    await _stream.WriteAsync(new HubSessionResponse(new SessionResponse { Closing = _closing }))
                        .ConfigureAwait(false);
                }

                return;
            }

            await _outbox.WaitAsync().ConfigureAwait(false);
            isOnSendersThread = true;
        }
    }

    /// <summary>Says that the client puts large responses together that come in parts.</summary>
    public void AllowParts() => _mayUseParts = true;

    /// <summary>Says that the client takes deliveries that are for several subscriptions.</summary>
    public void AllowSharedDeliveries() => _batch.AllowSharing();

    /// <summary>Queues an outcome. It is written once the outbox is signalled.</summary>
    /// <returns><see langword="false"/> if there are too many that the client has not read.</returns>
    public bool TryAdd(OutgoingOutcome outcome)
    {
        var length = outcome.CalculateLength();
        var size = PlainOutcome + (outcome.Reply is { MayHaveTwoForms: true } ? 2 * length : length);
        lock (_outcomesLock)
        {
            if (_outcomes.Count >= MaxOutcomes || _outcomeBytes > MaxOutcomeBytes)
            {
                return false;
            }

            // All outcomes up to there are in the queue already, so a reader that has come here has had them.
            var through = Volatile.Read(ref _completedThrough);
            if (through != _markedThrough)
            {
                _markedThrough = through;
                _outcomes.Enqueue((null, 0, through));
            }

            _outcomeBytes += size;
            _outcomes.Enqueue((outcome, size, 0));
            return true;
        }
    }

    /// <summary>
    /// Notes up to which command the client's commands have been carried out. Outcomes up to there were added before.
    /// </summary>
    public void SetCompletedThrough(ulong number) => Volatile.Write(ref _completedThrough, number);

    /// <summary>
    /// Ends the writing when all that is queued is written, and says the reason if it was not the client's wish.
    /// </summary>
    /// <param name="verdict">The reason.</param>
    /// <param name="isMessageTooLarge">Whether the reason is the size of a message of the client.</param>
    public void End(Verdict verdict, bool isMessageTooLarge)
    {
        _closing = verdict.IsOk
            ? null
            : new SessionClosing
            {
                StatusCode = (int)verdict.Code, Message = verdict.Message, MessageTooLarge = isMessageTooLarge,
            };
        _isEnding = true;
        _outbox.Signal();
    }

    private async Task WriteInPartsAsync()
    {
        foreach (var (part, isFollowed) in MessageParts.Split(_response.Encode()))
        {
            await _stream
                .WriteAsync(new HubSessionResponse(new SessionResponse { Part = part, PartFollows = isFollowed }))
                .ConfigureAwait(false);
        }
    }

    private bool Fill()
    {
        var bytes = TakeOutcomes(out var through);
        _response.Rest.CompletedThrough = through != _reportedThrough ? through : 0;
        _reportedThrough = through;

        // After the outcomes: a grant that was added before an outcome is written with it or earlier.
        bytes += _notices.TakeAll(_response.Rest.LaneNotices);
        _batch.Fill(_response.Deliveries, bytes, _addLoss);

        // A grant was added before its fence was put into a mailbox, so it must not be written after it.
        _noticeBytes = _notices.TakeAll(_response.Rest.LaneNotices);
        return _response.Deliveries.Count > 0
            | _response.Outcomes.Count > 0
            | _response.Rest.LaneNotices.Count > 0
            | _response.Rest.CompletedThrough > 0
            | _response.Rest.Losses.Count > 0;
    }

    /// <param name="through">All outcomes of commands up to there are in this response or in an earlier one.</param>
    /// <returns>How many bytes the outcomes have.</returns>
    private int TakeOutcomes(out ulong through)
    {
        var bytes = 0;

        // Read before the outcomes are taken.
        var completed = Volatile.Read(ref _completedThrough);
        through = _reportedThrough;
        lock (_outcomesLock)
        {
            while (bytes < DeliveryBatch.MaxBytes
                && _response.Outcomes.Count < MaxOutcomesOfAResponse
                && _outcomes.TryDequeue(out var next))
            {
                if (next.Outcome is null)
                {
                    through = next.Through;
                    continue;
                }

                _response.Outcomes.Add(next.Outcome);
                bytes += next.Size;
            }

            _outcomeBytes -= bytes;
            through = _outcomes.Count == 0 ? Math.Max(through, completed) : through;
            return bytes;
        }
    }

    private void Recycle()
    {
        _response.Rest.CompletedThrough = 0;
        _response.ReleaseDeliveries();
        _response.Outcomes.Clear();
        _response.Rest.LaneNotices.Clear();
        _response.Rest.Losses.Clear();
    }

    private void AddLoss(Subscriber subscriber, long dropped) =>
        _response.Rest.Losses.Add(new Loss { Subscription = subscriber.Number, Dropped = (ulong)dropped });
}

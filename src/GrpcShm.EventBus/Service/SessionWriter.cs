using Grpc.Core;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Service;

/// <summary>Writes a session's responses: the one writer of its stream.</summary>
internal sealed class SessionWriter
{
    // A client that sends and never reads must not fill the memory with answers.
    private const int MaxOutcomes = 65_536;

    private readonly IServerStreamWriter<SessionResponse> _stream;
    private readonly Outbox _outbox;
    private readonly EventBusMetrics _metrics;
    private readonly DeliveryBatch _batch;
    private readonly SessionResponse _response = new();
    private readonly Action<Subscriber, long> _addLoss;
    private readonly Lock _outcomesLock = new();
    private List<Outcome> _outcomes = [];
    private List<Outcome> _writingOutcomes = [];
    private ulong _completedThrough;
    private ulong _reportedThrough;
    private SessionClosing? _closing;
    private volatile bool _isEnding;

    public SessionWriter(IServerStreamWriter<SessionResponse> stream, Outbox outbox, EventBusMetrics metrics)
    {
        _stream = stream;
        _outbox = outbox;
        _metrics = metrics;
        _batch = new DeliveryBatch(outbox);
        _addLoss = AddLoss;
    }

    /// <summary>Says that the session stands, then writes what there is until <see cref="End"/>.</summary>
    public async Task RunAsync(SessionOpened opened)
    {
        await _stream.WriteAsync(new SessionResponse { Opened = opened }).ConfigureAwait(false);
        var isOnSendersThread = false;
        while (true)
        {
            // Read before the work is looked at: what came before the end is still written.
            var isEnding = _isEnding;
            while (Fill())
            {
                await _stream.WriteAsync(_response).ConfigureAwait(false);
                _metrics.Delivered(_response.Deliveries.Count);
                Recycle();
                if (isOnSendersThread && _outbox.HasReady)
                {
                    // What others send all the while must not keep that one sender.
                    isOnSendersThread = false;
                    await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                }
            }

            if (isEnding)
            {
                if (_closing is not null)
                {
                    await _stream.WriteAsync(new SessionResponse { Closing = _closing }).ConfigureAwait(false);
                }

                return;
            }

            await _outbox.WaitAsync().ConfigureAwait(false);
            isOnSendersThread = true;
        }
    }

    /// <summary>Queues an outcome. It is written once the outbox is signalled.</summary>
    /// <returns><see langword="false"/> if there are too many that the client has not read.</returns>
    public bool TryAdd(Outcome outcome)
    {
        lock (_outcomesLock)
        {
            if (_outcomes.Count >= MaxOutcomes)
            {
                return false;
            }

            _outcomes.Add(outcome);
            return true;
        }
    }

    /// <summary>Notes how far the client's commands have been carried out; outcomes up to there were added before.</summary>
    public void CompletedThrough(ulong number) => Volatile.Write(ref _completedThrough, number);

    /// <summary>Ends the writing once everything queued is written, and says why if it was not the client's wish.</summary>
    public void End(Verdict verdict)
    {
        _closing = verdict.IsOk ? null : new SessionClosing { StatusCode = (int)verdict.Code, Message = verdict.Message };
        _isEnding = true;
        _outbox.Signal();
    }

    private bool Fill()
    {
        // Read before the outcomes are taken: all outcomes up to that number are in this response or in an earlier one.
        var through = Volatile.Read(ref _completedThrough);
        lock (_outcomesLock)
        {
            (_outcomes, _writingOutcomes) = (_writingOutcomes, _outcomes);
        }

        _response.Outcomes.AddRange(_writingOutcomes);
        _writingOutcomes.Clear();
        _response.CompletedThrough = through != _reportedThrough ? through : 0;
        _reportedThrough = through;
        return _batch.Fill(_response.Deliveries, _addLoss) > 0
            | _response.Outcomes.Count > 0
            | _response.CompletedThrough > 0
            | _response.Losses.Count > 0;
    }

    private void Recycle()
    {
        _response.Deliveries.Clear();
        _response.Outcomes.Clear();
        _response.Losses.Clear();
        _batch.Recycle();
    }

    private void AddLoss(Subscriber subscriber, long dropped) =>
        _response.Losses.Add(new Loss { Subscription = subscriber.Number, Dropped = (ulong)dropped });
}

using Grpc.Core;
using GrpcShm.EventBus.Forwarding;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Routing;

/// <summary>A sender that waits until its event is delivered, processed or replied to.</summary>
internal sealed class PendingAcknowledgement(string machineId, AcknowledgementLevel level)
{
    private readonly TaskCompletionSource<AcknowledgementResult> _source =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Subscriber? _subscriber;
    private ulong _deliveryNumber;

    public AcknowledgementLevel Level { get; } = level;

    /// <summary>Waits for the answer. It only throws if the sender gives up.</summary>
    public async Task<AcknowledgementResult> WaitAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            return await _source.Task.WaitAsync(timeout, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            GiveUp();
            return _source.Task.Result;
        }
        catch (OperationCanceledException)
        {
            GiveUp();
            throw;
        }
    }

    /// <summary>True if the wait is over.</summary>
    public bool IsDone => _source.Task.IsCompleted;

    /// <summary>
    /// Notes where the event was delivered, so that the subscriber can forget a sender that gives up.
    /// </summary>
    public void NoteDelivery(Subscriber subscriber, ulong deliveryNumber)
    {
        _deliveryNumber = deliveryNumber;
        Volatile.Write(ref _subscriber, subscriber);
    }

    public void Fail(Verdict verdict) => _source.TrySetResult(new AcknowledgementResult(verdict, "", null));

    public void FailGone() => Fail(Verdict.Gone(machineId));

    public void FailDropped() => Fail(Verdict.Dropped(machineId));

    public void Complete(Acknowledgement acknowledgement, RoutedEvent? reply)
    {
        if (acknowledgement.StatusCode != 0)
        {
            // Codes that gRPC does not know would break the sender's own status.
            var code = Enum.IsDefined((StatusCode)acknowledgement.StatusCode)
                ? (StatusCode)acknowledgement.StatusCode
                : StatusCode.Unknown;
            Fail(new Verdict(code, PeerText.Clean(acknowledgement.Message, PeerText.MaxSentence), machineId));
        }
        else if (Level == AcknowledgementLevel.Replied && reply is null)
        {
            Fail(Verdict.WithoutReply(machineId));
        }
        else
        {
            _source.TrySetResult(new AcknowledgementResult(Verdict.Ok, acknowledgement.NewState, reply));
        }
    }

    // This ends the wait first and lets the subscriber forget it second; the subscriber notes the wait first and asks
    // whether it is over second. One of the two sees the other.
    private void GiveUp()
    {
        Fail(Verdict.TooLate(machineId));
        Interlocked.MemoryBarrier();
        _subscriber?.Forget(_deliveryNumber);
    }
}

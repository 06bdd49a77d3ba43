using System.IO.Pipelines;
using Google.Protobuf.Collections;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Lanes;

// How events and answers get to the other side: several in one frame.
internal sealed partial class LaneLink
{
    // The same bounds as those of a session's messages.
    private const int MaxDeliveries = 256;
    private const int MaxBytes = MessageSize.Batch;

    // What waits to be written besides events. An honest process reads, and has a window of events under way.
    private const int MaxAnswers = 65_536;
    private const long MaxAnswerBytes = 256L * 1024 * 1024;

    private const byte DeliveriesTag = (LaneFrame.DeliveriesFieldNumber << 3) | 2;
    private const byte RouteTag = Delivery.SubscriptionFieldNumber << 3;
    private const byte NumberTag = Delivery.NumberFieldNumber << 3;
    private const byte LevelTag = Delivery.AcknowledgementFieldNumber << 3;
    private const byte EventTag = (Delivery.EventFieldNumber << 3) | 2;

    private readonly WakeSignal _signal = new(runInline: false);
    private readonly WriterPace _pace = new();
    private readonly Lock _answersLock = new();

    // Under the lock: what is to be written besides events.
    private readonly Queue<(LaneOutcome Outcome, int Size)> _outcomes = new();
    private readonly RepeatedField<Credit> _credits = [];
    private long _outcomeBytes;
    private ulong _accepted;
    private ulong _acceptedWritten;

    // Under the lock: how many of the outcomes say that an event was not taken.
    private int _rerouted;

    // The writer's own: the next frame has events first. The last one had no place for them.
    private bool _isEventsTurn;

    // Under the lock: how many events of the other side have no answer yet whose sender waits for one; whether each
    // side takes leave.
    private int _owed;
    private bool _isLeaving;
    private bool _hasTakenLeave;
    private bool _hasLeaveOfOther;

    /// <summary>Wakes the writer after something was put in. The writer may run on this thread.</summary>
    public void Wake() => _pace.Wake(_signal);

    /// <summary>Notes events whose senders wait until they are handled.</summary>
    public void NoteOwed(int count)
    {
        lock (_answersLock)
        {
            _owed += count;
        }
    }

    /// <summary>True if the other side waits for an answer.</summary>
    public bool Owes
    {
        get
        {
            lock (_answersLock)
            {
                return _owed > 0 || _outcomes.Count > 0;
            }
        }
    }

    /// <summary>Answers an event that was handled.</summary>
    public void Answer(Acknowledgement acknowledgement)
    {
        bool isTooMuch;
        lock (_answersLock)
        {
            _owed--;
            isTooMuch = Put(new LaneOutcome
            {
                Number = acknowledgement.Number,
                StatusCode = acknowledgement.StatusCode,
                Message = acknowledgement.Message,
                NewState = acknowledgement.NewState,
                Reply = acknowledgement.Reply,
            });
        }

        Wake();
        EndIf(isTooMuch);
    }

    /// <summary>Says that an event was not taken. The caller wakes the writer.</summary>
    public void Reroute(ulong number)
    {
        bool isTooMuch;
        lock (_answersLock)
        {
            _rerouted++;
            isTooMuch = Put(new LaneOutcome { Number = number, Rerouted = true });
        }

        EndIf(isTooMuch);
    }

    /// <summary>Gives the other side room.</summary>
    public void GiveCredit(Credit credit)
    {
        bool isTooMuch;
        lock (_answersLock)
        {
            _credits.Add(credit);
            isTooMuch = IsTooMuch;
        }

        Wake();
        EndIf(isTooMuch);
    }

    /// <summary>Takes leave as soon as nothing is owed. The routes of this side have to end before.</summary>
    public void BeginLeave()
    {
        lock (_answersLock)
        {
            _isLeaving = true;
        }

        Wake();
    }

    /// <summary>Wakes the writer if this side takes leave: it may owe nothing any more.</summary>
    public void WakeToLeave()
    {
        bool isLeaving;
        lock (_answersLock)
        {
            isLeaving = _isLeaving;
        }

        if (isLeaving)
        {
            Wake();
        }
    }

    private void NoteAccepted(ulong through)
    {
        lock (_answersLock)
        {
            _accepted = through;
        }

        Wake();
    }

    private void NoteLeave()
    {
        lock (_answersLock)
        {
            (_isLeaving, _hasLeaveOfOther) = (true, true);
        }

        Wake();
    }

    // Under the lock.
    private bool IsTooMuch => _outcomes.Count + _credits.Count > MaxAnswers || _outcomeBytes > MaxAnswerBytes;

    private bool Put(LaneOutcome outcome)
    {
        var size = outcome.CalculateSize();
        _outcomes.Enqueue((outcome, size));
        _outcomeBytes += size;
        return IsTooMuch;
    }

    private void EndIf(bool isTooMuch)
    {
        if (isTooMuch)
        {
            End("The other process does not read what it is answered.");
        }
    }

    private async Task WriteAsync()
    {
        var sends = new List<LaneSend>(MaxDeliveries);
        try
        {
            var written = 0;
            while (!HasEnded)
            {
                while (!HasEnded && Fill(_connection.Output, sends))
                {
                    var result = await _connection.Output.FlushAsync().ConfigureAwait(false);
                    _pace.NoteWrite();
                    if (result.IsCompleted || result.IsCanceled)
                    {
                        End("The other process does not read any more.");
                        return;
                    }

                    if (++written % WriterPace.MostOnWakersThread == 0)
                    {
                        // It may be a reader, which others wait for. They put in events for as long as they like.
                        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                    }
                }

                if (HasEveryoneLeft())
                {
                    End("Nobody used it.");
                    return;
                }

                if (!HasEnded)
                {
                    var wait = _signal.WaitAsync();
                    if (!wait.IsCompleted)
                    {
                        written = 0;
                    }

                    await wait.ConfigureAwait(false);
                }
            }
        }
        catch (Exception exception)
        {
            End(exception.Message);
        }
        finally
        {
            NoteUnused();
        }
    }

    private bool HasEveryoneLeft()
    {
        lock (_answersLock)
        {
            return _hasTakenLeave && _hasLeaveOfOther;
        }
    }

    private bool Fill(PipeWriter output, List<LaneSend> sends)
    {
        // Answers first: a stream of events must not keep them back. But answers that fill a frame, and an event that
        // needs one of its own, get every second one.
        sends.Clear();
        var bytes = 0;
        var isEventsTurn = _isEventsTurn;
        var rest = isEventsTurn ? null : TakeRest(ref bytes);
        var isLast = false;
        _isEventsTurn = bytes >= MaxBytes;
        if (!_isEventsTurn)
        {
            var taken = _events.TakeSends(_lane, sends, MaxDeliveries, MaxBytes - bytes, mayBeLarge: bytes == 0);
            _isEventsTurn = taken == LaneSends.LargeNext;
            isLast = taken == LaneSends.Idle;
            foreach (var send in sends)
            {
                bytes = checked(bytes + FieldWriter.SizeWithTag(SizeOf(send)));
            }
        }

        if (isEventsTurn && sends.Count == 0)
        {
            rest = TakeRest(ref bytes);
        }

        if (isLast)
        {
            TakeLeave(ref rest, ref bytes);
        }

        if (bytes == 0)
        {
            return false;
        }

        var writer = new FieldWriter(output);
        LaneFrames.WriteLength(ref writer, bytes);
        foreach (var send in sends)
        {
            Write(ref writer, send);
            send.Event.Release();
        }

        if (rest is not null)
        {
            writer.Write(rest);
        }

        writer.Flush();
        return true;
    }

    private LaneFrame? TakeRest(ref int bytes)
    {
        LaneFrame? rest = null;
        lock (_answersLock)
        {
            while (bytes < MaxBytes && _outcomes.TryPeek(out var next))
            {
                if (bytes > 0 && next.Size > MessageSize.UsualLimit / 2)
                {
                    // Without other answers. The small fields below have a place beside it.
                    break;
                }

                rest ??= new LaneFrame();
                rest.Outcomes.Add(next.Outcome);
                _outcomes.Dequeue();
                _outcomeBytes -= next.Size;
                _rerouted -= next.Outcome.Rerouted ? 1 : 0;
                bytes += next.Size + 1 + FieldWriter.SizeOf((ulong)next.Size);
            }

            // Otherwise it would say of events that they were taken which were not.
            if (_accepted > _acceptedWritten && _rerouted == 0)
            {
                rest ??= new LaneFrame();
                rest.AcceptedThrough = _acceptedWritten = _accepted;
                bytes += 1 + FieldWriter.SizeOf(_accepted);
            }

            foreach (var credit in _credits)
            {
                rest ??= new LaneFrame();
                rest.Credits.Add(credit);
                bytes += FieldWriter.SizeWithTag(credit.CalculateSize());
            }

            _credits.Clear();
        }

        return rest;
    }

    // No event of this side waits for an answer.
    private void TakeLeave(ref LaneFrame? rest, ref int bytes)
    {
        lock (_answersLock)
        {
            if (_isLeaving && !_hasTakenLeave && _owed == 0 && _outcomes.Count == 0)
            {
                _hasTakenLeave = true;
                rest ??= new LaneFrame();
                rest.Closing = new LaneClosing();
                bytes += FieldWriter.SizeWithTag(0);
            }
        }
    }

    private static int SizeOf(in LaneSend send) => checked(
        1 + FieldWriter.SizeOf(send.Route)
        + 1 + FieldWriter.SizeOf(send.Number)
        + (send.Event.Level == AcknowledgementLevel.Unspecified ? 0 : 2)
        + FieldWriter.SizeWithTag(send.Event.SizeWith(send.Stamp)));

    private static void Write(ref FieldWriter writer, in LaneSend send)
    {
        writer.WriteVarint(DeliveriesTag, (ulong)SizeOf(send));
        writer.WriteVarint(RouteTag, send.Route);
        writer.WriteVarint(NumberTag, send.Number);
        if (send.Event.Level != AcknowledgementLevel.Unspecified)
        {
            writer.WriteVarint(LevelTag, (ulong)send.Event.Level);
        }

        writer.WriteVarint(EventTag, (ulong)send.Event.SizeWith(send.Stamp));
        send.Event.WriteEvent(ref writer, send.Stamp);
    }
}

using Grpc.Core;
using GrpcShm.EventBus.Lanes;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

// The loop that hands events to the handlers, and answers them.
internal sealed partial class EventReceiver
{
    private async Task RunAsync()
    {
        IEventOrigin? handled = null;
        while (TryTake(handled, out var item))
        {
            handled = item.Origin;
            if (item.Sender is { IsWithdrawn: true })
            {
                continue;
            }

            if (!item.IsRepeated)
            {
                await HandleAsync(item).ConfigureAwait(false);
            }
            else
            {
                // The limits are those of the session by which the event came this time: another hub may have others.
                Acknowledge(
                    item,
                    _failed.Find(item.Event)
                        ?? FindRefusal(item, null, _state)
                        ?? new Acknowledgement { NewState = _state ?? "" });
            }
        }
    }

    private bool TryTake(IEventOrigin? handled, out ReceivedEvent item)
    {
        LocalSend? next = null;
        var grant = default(RoomGrant);
        bool taken;
        lock (_lock)
        {
            if (handled is not null)
            {
                grant = _window.GiveRoom(Number, handled as TargetRoute);
            }

            item = default;
            taken = _pauses == 0 && _queue.TryDequeue(out item);
            _isRunning = taken;
            if (taken && _queue.Count - _waitingForRoom.Count < _window.Size)
            {
                _waitingForRoom.TryDequeue(out next);
            }
        }

        grant.Tell();
        if (next is { IsDoneWithRoom: true })
        {
            next.TrySetResult(null);
        }

        return taken;
    }

    private async ValueTask HandleAsync(ReceivedEvent item)
    {
        var received = new BusEvent(item.Event, _host.Codecs)
        {
            HandledBy = this,
            NewState = _state,
            IsRequest = item.Level == AcknowledgementLevel.Replied,
        };
        Acknowledgement? failure = null;
        var handling = _host.BeginHandling(received);
        HandlerFlow.Begin(received);
        try
        {
            foreach (var handler in Volatile.Read(ref _handlers))
            {
                await handler(received).ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            var message = $"The handler of the machine '{Name}' failed: {exception.Message}";
            failure = new Acknowledgement
            {
                StatusCode = (int)StatusCode.Unknown, Message = PeerText.Clean(message, PeerText.MaxSentence),
            };
            _failed.Add(item.Event, failure);
            _host.TellOfFailedHandler(Name, received, exception);
        }

        received.HasBeenHandled = true;
        _host.Waits.EndAll(received);

        if (failure is null && FindRefusal(item, received.ReplyEvent, received.NewState) is { } refusal)
        {
            failure = refusal;
            _failed.Add(item.Event, refusal);
        }

        _host.EndHandling(received, handling, failure?.Message);
        _state = received.NewState;
        if (IsAwaited(item))
        {
            Acknowledge(item, failure ?? new Acknowledgement { NewState = _state ?? "", Reply = received.ReplyEvent });
        }
    }

    // The hub would end this session by an answer that is too large, or leave the asker without one.
    private Acknowledgement? FindRefusal(in ReceivedEvent item, Event? reply, string? newState) =>
        item.Level > AcknowledgementLevel.Delivered ? item.Origin?.Limits.Check(Name, reply, newState) : null;

    // Most events are not: nobody has to be told how they were handled.
    private static bool IsAwaited(in ReceivedEvent item) =>
        item.Sender is not null || (item.DeliveryNumber != 0 && item.Level > AcknowledgementLevel.Delivered);

    private void Acknowledge(in ReceivedEvent item, Acknowledgement acknowledgement)
    {
        if (item.Sender is { } sender)
        {
            sender.Answer(acknowledgement);
        }
        else if (IsAwaited(item))
        {
            acknowledgement.Subscription = Number;
            acknowledgement.Number = item.DeliveryNumber;
            item.Origin!.Acknowledge(acknowledgement);
        }
    }
}

using Grpc.Core;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Service;

// One method for each command.
internal sealed partial class EventSession
{
    private static Verdict Ended { get; } = new(StatusCode.Unavailable, "The session has ended.", "");

    /// <summary>
    /// Asks whether the client may do it. What concerns its own machines and subscriptions alone is not asked.
    /// </summary>
    private ValueTask<Verdict> CheckAsync(AccessGate gate, SessionCommand command)
    {
        _hasCommands |= command.CommandCase != SessionCommand.CommandOneofCase.Open;
        return command.CommandCase switch
        {
            SessionCommand.CommandOneofCase.Send => gate.CheckSendAsync(command.Send, _origin),
            SessionCommand.CommandOneofCase.Publish => gate.CheckPublishAsync(command.Publish, _origin),
            SessionCommand.CommandOneofCase.Register => gate.CheckRegisterAsync(command.Register),
            SessionCommand.CommandOneofCase.Subscribe => gate.CheckSubscribeAsync(command.Subscribe),
            _ => ValueTask.FromResult(Verdict.Ok),
        };
    }

    /// <summary>Carries a command out, but for what it must wait for, which the context holds.</summary>
    /// <param name="command">The command.</param>
    /// <param name="outcome">What to answer if it succeeds; none if success needs no answer of its own.</param>
    private Verdict Execute(SessionCommand command, out Outcome? outcome)
    {
        outcome = null;
        var isFirst = !_hasCommands;
        _hasCommands = true;
        switch (command.CommandCase)
        {
            case SessionCommand.CommandOneofCase.Send:
                return Send(command);
            case SessionCommand.CommandOneofCase.Acknowledge:
                Acknowledge(command.Acknowledge);
                return Verdict.Ok;
            case SessionCommand.CommandOneofCase.Grant:
                Grant(command.Grant);
                return Verdict.Ok;
            case SessionCommand.CommandOneofCase.Publish:
                var verdict = _hub.Router.Publish(command.Publish, _origin, _context, out var recipients);
                outcome = new Outcome { Recipients = (uint)recipients };
                return verdict;
            case SessionCommand.CommandOneofCase.Open:
                outcome = new Outcome();
                return Open(command.Open, isFirst);
            case SessionCommand.CommandOneofCase.Register:
                outcome = new Outcome();
                return Register(command.Register);
            case SessionCommand.CommandOneofCase.Unregister:
                outcome = new Outcome();
                return Unregister(command.Unregister);
            case SessionCommand.CommandOneofCase.Subscribe:
                outcome = new Outcome();
                return Subscribe(command.Subscribe);
            case SessionCommand.CommandOneofCase.Unsubscribe:
                outcome = new Outcome();
                return Unsubscribe(command.Unsubscribe);
            case SessionCommand.CommandOneofCase.BeginWait:
                outcome = new Outcome();
                return BeginWait(command.BeginWait, command.BeginWait.AwaitedMachineId, null);
            case SessionCommand.CommandOneofCase.EndWait:
                outcome = new Outcome();
                EndWait(command.EndWait);
                return Verdict.Ok;
            default:
                return new Verdict(
                    StatusCode.Unimplemented, "The command is missing, or this hub does not know it.", "");
        }
    }

    private Verdict Send(SessionCommand command)
    {
        var level = command.Acknowledgement;
        if (level <= AcknowledgementLevel.Accepted && level >= AcknowledgementLevel.Unspecified)
        {
            return _hub.Router.Send(command.Send, null, _origin, _context);
        }

        var verdict = EventLimits.Check(level);
        if (!verdict.IsOk)
        {
            return verdict;
        }

        if (command.Number == 0)
        {
            return Verdict.Invalid("A send with an acknowledgement needs a number to be answered by.");
        }

        if (_owner.Budget.Acknowledgements.Take(1) is { } full)
        {
            return full.Exhausted("The sends whose acknowledgements are waited for have reached");
        }

        var pending = new PendingAcknowledgement(command.Send.Target, level);
        if (command.Waiting is not null && level > AcknowledgementLevel.Delivered)
        {
            verdict = BeginWait(command.Waiting, command.Send.Target, pending);
            if (!verdict.IsOk)
            {
                _owner.Budget.Acknowledgements.Give(1);
                _hub.Metrics.Refused(verdict.Code);
                return verdict;
            }
        }

        verdict = _hub.Router.Send(command.Send, pending, _origin, _context);
        if (verdict.IsOk)
        {
            _pending = pending;
            var timeout = command.TimeoutMilliseconds == 0
                ? _hub.Options.DefaultAcknowledgementTimeout
                : TimeSpan.FromMilliseconds(Math.Min(command.TimeoutMilliseconds, int.MaxValue));
            _ = AnswerLaterAsync(command.Number, command.Send.Id, command.Waiting?.Number ?? 0, pending, timeout);
        }
        else
        {
            EndWait(command.Waiting?.Number ?? 0);
            _owner.Budget.Acknowledgements.Give(1);
        }

        return verdict;
    }

    private async Task AnswerLaterAsync(
        ulong number, string eventId, ulong wait, PendingAcknowledgement pending, TimeSpan timeout)
    {
        AcknowledgementResult result;
        try
        {
            result = await pending.WaitAsync(timeout, _over).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return;
        }
        finally
        {
            _owner.Budget.Acknowledgements.Give(1);
        }

        EndWait(wait);
        Add(new Outcome
        {
            Number = number,
            StatusCode = (int)result.Verdict.Code,
            Message = result.Verdict.Message ?? "",
            MachineId = result.Verdict.MachineId ?? "",
            EventId = eventId,
            NewState = result.NewState,
            Reply = result.Reply,
        });
        _outbox.Signal();
    }

    private void Acknowledge(Acknowledgement acknowledgement)
    {
        if (_subscriptions.TryGetValue(acknowledgement.Subscription, out var subscription))
        {
            _hub.Router.Acknowledge(subscription.Subscriber, acknowledgement, _origin);
        }
    }

    private void Grant(Credit credit)
    {
        if (_subscriptions.TryGetValue(credit.Subscription, out var subscription))
        {
            subscription.Subscriber.Grant(credit.Deliveries, _context);
        }
    }

    private Verdict Open(OpenSession open, bool isFirst)
    {
        if (!isFirst)
        {
            return Verdict.Invalid("A session can only be opened by its first command.");
        }

        var verdict = _hub.Limits.CheckText(open.Name, "name of the session");
        verdict = verdict.IsOk ? _hub.Limits.CheckText(open.InstanceId, "instance id") : verdict;
        if (verdict.IsOk)
        {
            _owner.Name = open.Name;
            _owner.InstanceId = open.InstanceId;
            if (!_hub.AddSession(this, _owner))
            {
                return Ended;
            }

            _hub.Logger.SessionOpened(Id, open.Name, open.InstanceId);
        }

        return verdict;
    }

    private Verdict Register(Registration registration)
    {
        var verdict = _hub.Limits.Check(registration);
        return verdict.IsOk
            ? _hub.Machines.Register(_owner, registration.MachineId, registration.Groups, out _)
            : verdict;
    }

    private Verdict Unregister(string machineId)
    {
        var verdict = _hub.Machines.Unregister(_owner, machineId, out var inbox);
        if (inbox is not null)
        {
            RemoveSubscription(inbox.Number);
        }

        return verdict;
    }

    private Verdict Subscribe(Subscription subscription)
    {
        if (subscription.Number == 0 || _subscriptions.ContainsKey(subscription.Number))
        {
            return Verdict.Invalid($"The subscription number {subscription.Number} is zero or in use.");
        }

        if (_subscriptions.Count >= _hub.Options.MaxSubscriptionsPerSession)
        {
            return Verdict.Exhausted(
                $"The session has its limit of {_hub.Options.MaxSubscriptionsPerSession} subscriptions.");
        }

        // Not under the lock: it wakes those who watch machines, whose writers may run on this thread.
        LiveSubscription? live = null;
        var verdict = HasEnded ? Ended : _hub.Router.Subscribe(_owner, subscription, _outbox, _context, out live);
        if (!verdict.IsOk)
        {
            return verdict;
        }

        lock (_subscriptions)
        {
            if (!_isReleased)
            {
                _subscriptions.Add(subscription.Number, live!);
                return Verdict.Ok;
            }
        }

        _hub.Router.Unsubscribe(live!);
        return Ended;
    }

    private Verdict Unsubscribe(uint number) => RemoveSubscription(number)
        ? Verdict.Ok
        : new Verdict(StatusCode.NotFound, $"The session has no subscription {number}.", "");

    private bool RemoveSubscription(uint number)
    {
        LiveSubscription? subscription;
        lock (_subscriptions)
        {
            if (_isReleased || !_subscriptions.Remove(number, out subscription))
            {
                return false;
            }
        }

        _hub.Router.Unsubscribe(subscription);
        if (subscription.Subscriber.InboxOf is { Length: > 0 } machine)
        {
            // It is not the session's to say any more that its handler waits.
            EndWaits(machine);
        }

        return true;
    }
}

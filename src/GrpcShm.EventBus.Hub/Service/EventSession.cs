using System.IO.Pipelines;
using Grpc.Core;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Wire;
using Microsoft.AspNetCore.Http;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Service;

/// <summary>
/// One client's session: reads its commands, has them carried out in order, and answers them. Each of its parts owns
/// its fields, and knows no part that is made after it.
/// </summary>
internal sealed partial class EventSession
{
    private readonly HubCore _hub;
    private readonly Outbox _outbox = new(runWriterInline: true);
    private readonly MachineOwner _owner;
    private readonly AccessGate? _gate;
    private readonly SessionWriter _writer;
    private readonly CompletedCommands _completed;
    private readonly SessionLife _life;
    private readonly SessionWaits _waits;
    private readonly SessionSubscriptions _subscriptions;
    private readonly SessionSends _sends;
    private readonly SessionLanes _lanes;
    private readonly LateSubscriptions _late;
    private readonly SessionCommands _commands;
    private readonly PipeReader _body;
    private readonly CancellationToken _callCancelled;

    // The reader's own.
    private readonly RoutingContext _context = new();
    private ulong _lastNumber;

    public EventSession(
        HubCore hub,
        HttpContext context,
        IServerStreamWriter<HubSessionResponse> responses,
        CancellationToken callCancelled)
    {
        _hub = hub;
        var peer = PeerIdentity.Of(context);
        _owner = new MachineOwner(peer, new SessionBudget(hub.Budget), "", "", isLease: false);
        var origin = new SessionOrigin(_owner);
        _gate = hub.GateFor(context, peer, _owner);
        _body = context.Request.BodyReader;
        _callCancelled = callCancelled;
        _parts = new IncomingParts(MessageSize.LimitFor(hub.Options.MaxEventSize), hub.Budget.Parts);
        var notices = new OutgoingNotices();
        _writer = new SessionWriter(responses, _outbox, notices, hub.Metrics);
        _completed = new CompletedCommands(_writer.SetCompletedThrough);
        _life = new SessionLife(hub, _owner);
        _waits = new SessionWaits(hub, _outbox);
        _subscriptions = new SessionSubscriptions(hub, _owner, origin, _outbox, _life, _waits);
        _sends = new SessionSends(hub, _owner, origin, _waits, AnswerLate);
        _lanes = new SessionLanes(hub, _owner, origin, _outbox, notices, _sends, _life);
        _late = new LateSubscriptions(hub, _completed, _outbox, AnswerLate);
        _commands = new SessionCommands(hub, _owner, origin, _life, _subscriptions, _late, _waits, _sends, _lanes);
    }

    /// <summary>Ends the session, and says whether it has ended.</summary>
    public SessionLife Life => _life;

    /// <summary>Runs the session until the client, the connection, the hub or a successor ends it.</summary>
    /// <exception cref="RpcException">It did not end by the client's wish.</exception>
    public async Task RunAsync(IAsyncStreamReader<HubSessionRequest> requests)
    {
        if (_hub.Stopping.IsCancellationRequested)
        {
            // The server may listen a moment longer. A client must not believe that it is connected to a hub that is
            // about to end.
            throw HubCore.Stopped.ToException();
        }

        if (_hub.Budget.Sessions.Take(_owner.Peer.UserId) is { IsOk: false } refused)
        {
            throw refused.ToException();
        }

        try
        {
            await RunCountedAsync(requests).ConfigureAwait(false);
        }
        finally
        {
            // Only now: the answers that its client has not read are held until here.
            _hub.Budget.Sessions.Give(_owner.Peer.UserId);
        }
    }

    private async Task RunCountedAsync(IAsyncStreamReader<HubSessionRequest> requests)
    {
        _life.Begin();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_callCancelled);
        _sends.Over = over.Token;
        _late.Over = over.Token;
        using var leaving = new CancellationTokenSource();
        var reading = ReadAsync(requests, leaving.Token);
        var writing = WriteAsync();
        var stopping = _hub.Stopping.Register(
            static life => ((SessionLife)life!).End(HubCore.Stopped), _life);

        // The reader may be busy with commands for long, and the writer may have nothing to write: neither may notice.
        var cancelled = _callCancelled.UnsafeRegister(
            static life => ((SessionLife)life!).End(SessionLife.ConnectionLost), _life);
        try
        {
            await Task.WhenAny(reading, writing, _life.Ending).ConfigureAwait(false);
        }
        finally
        {
            await stopping.DisposeAsync().ConfigureAwait(false);
            await cancelled.DisposeAsync().ConfigureAwait(false);
            _life.End(Verdict.Ok);
            Release(await _life.Ending.ConfigureAwait(false));
            await over.CancelAsync().ConfigureAwait(false);
        }

        var verdict = await _life.Ending.ConfigureAwait(false);

        // A client that does not read any more must not keep the call for long. Its machines have gone already.
        var answered = verdict.IsOk
            ? writing.WaitAsync(_callCancelled)
            : Task.WhenAll(reading, writing).WaitAsync(_hub.Options.SessionClosingTime, _callCancelled);
        await answered.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_callCancelled.IsCancellationRequested)
        {
            await leaving.CancelAsync().ConfigureAwait(false);
        }

        // The token of a lost connection is cancelled first, and does not say why. The read fails next, and says it.
        // Only a reader that is busy with a command is left behind: it reads no more.
        await ((Task)reading).WaitAsync(_hub.Options.SessionClosingTime)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await leaving.CancelAsync().ConfigureAwait(false);
        _life.TellOfEnd(reading.IsCompletedSuccessfully ? await reading.ConfigureAwait(false) : null);
        if (!verdict.IsOk)
        {
            throw verdict.ToException();
        }
    }

    private async Task WriteAsync()
    {
        try
        {
            await _writer.RunAsync(new SessionOpened
            {
                SessionId = _life.Id,
                MaxIdLength = (uint)_hub.Options.MaxIdLength,
                MaxEventSize = (uint)_hub.Options.MaxEventSize,
                DefaultMailboxCapacity = (uint)_hub.Options.DefaultMailboxCapacity,
                MaxMailboxCapacity = (uint)_hub.Options.MaxMailboxCapacity,
                MaxMessageSize = (uint)MessageSize.LimitFor(_hub.Options.MaxEventSize),
                TakesParts = true,
                OffersLanes = _hub.OffersLanes,
            }).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            _life.End(LostConnection(exception));
        }
    }

    private async ValueTask ExecuteAsync(HubSessionRequest request)
    {
        var commands = request.Commands;
        for (var i = 0; i < commands.Count && !_life.HasEnded; i++)
        {
            var command = commands[i];
            if (command.Number != 0 && command.Number <= _lastNumber)
            {
                _life.End(Verdict.Invalid(
                    $"The command number {command.Number} came after {_lastNumber}; numbers must count up."));
                return;
            }

            Outcome? outcome = null;
            var verdict = _gate is null ? Verdict.Ok : await _commands.CheckAsync(_gate, command).ConfigureAwait(false);
            if (verdict.IsOk)
            {
                verdict = _commands.Execute(command, _context, out outcome);
            }

            if (verdict.IsOk
                && command is { Case: SessionCommand.CommandOneofCase.Open, Other.Open.TakesParts: true })
            {
                _writer.AllowParts();
            }

            if (verdict.IsOk
                && command is { Case: SessionCommand.CommandOneofCase.Open, Other.Open.TakesSharedDeliveries: true })
            {
                _writer.AllowSharedDeliveries();
            }

            if (_context.MustWait)
            {
                verdict = await WaitForRoomAsync(verdict, outcome).ConfigureAwait(false);
            }

            Answer(command, verdict, outcome);
            _lastNumber = Math.Max(_lastNumber, command.Number);
            _sends.ForgetPending();
            if (command.Case is SessionCommand.CommandOneofCase.Send or SessionCommand.CommandOneofCase.Publish)
            {
                // The mailboxes that took it hold it. A reply is left to its asker, whose outcome is written later.
                command.Event?.Release();
            }
        }

        request.Release();

        _completed.SetThrough(_lastNumber);
        _context.SignalAll();
        _outbox.Signal();
    }

    private async ValueTask<Verdict> WaitForRoomAsync(Verdict verdict, Outcome? outcome)
    {
        _completed.SetThrough(_lastNumber);
        _outbox.Signal();
        var (inboxVerdict, accepted) =
            await _context.WaitForRoomAsync(_hub.Options, _callCancelled).ConfigureAwait(false);
        if (outcome is not null)
        {
            // Only a publication has both an outcome and mailboxes to wait for. Full mailboxes do not fail it.
            outcome.Recipients += (uint)accepted;
            return verdict;
        }

        if (!inboxVerdict.IsOk && _sends.TryFailPending(inboxVerdict))
        {
            return Verdict.Ok;
        }

        return verdict.IsOk ? inboxVerdict : verdict;
    }

    private void Answer(in HubCommand command, Verdict verdict, Outcome? outcome)
    {
        if (verdict.IsOk && (outcome is null || command.Number == 0))
        {
            return;
        }

        outcome ??= new Outcome();
        outcome.Number = command.Number;
        outcome.StatusCode = (int)verdict.Code;
        outcome.Message = verdict.Message ?? "";
        outcome.MachineId = verdict.MachineId ?? "";
        outcome.EventId =
            command.Case is SessionCommand.CommandOneofCase.Send or SessionCommand.CommandOneofCase.Publish
                ? _hub.Limits.Echo(command.Event)
                : "";
        Add(new OutgoingOutcome(outcome));
    }

    private void AnswerLate(OutgoingOutcome outcome)
    {
        Add(outcome);
        _outbox.Signal();
    }

    private void Add(OutgoingOutcome outcome)
    {
        if (!_writer.TryAdd(outcome))
        {
            _life.End(Verdict.Exhausted("The client sends commands, but does not read their outcomes."));
        }
    }

    private void Release(Verdict verdict)
    {
        _subscriptions.Release();
        _waits.Close();
        _lanes.Release();
        _writer.End(verdict, _isMessageTooLarge);
    }

    // The server's exception only says that the request is over. The one below it says why.
    private static Verdict LostConnection(Exception exception)
    {
        var why = PeerText.Clean(exception.GetBaseException().Message, PeerText.MaxSentence).TrimEnd('.');
        return new Verdict(StatusCode.Unavailable, $"The session's connection ended ({why}).", "");
    }
}

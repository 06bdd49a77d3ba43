using Grpc.Core;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using Microsoft.AspNetCore.Http;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Service;

/// <summary>One client's session: reads its commands and carries them out, in order.</summary>
internal sealed partial class EventSession
{
    // How long the client may take to end its side once the hub has ended the session.
    private static readonly TimeSpan ClosingTime = TimeSpan.FromSeconds(1);

    private readonly HubCore _hub;
    private readonly Outbox _outbox = new(runWriterInline: true);
    private readonly SessionWriter _writer;
    private readonly RoutingContext _context = new();
    private readonly MachineOwner _owner;
    private readonly SessionOrigin _origin;
    private readonly AccessGate? _gate;

    // Changed by the reader alone, under its own lock, until the session is released; so the reader itself looks
    // without.
    private readonly Dictionary<uint, LiveSubscription> _subscriptions = [];
    private readonly TaskCompletionSource<Verdict> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationToken _callCancelled;

    // Cancelled when the session is over, be it that its call goes on, or is not said to be cancelled since it ends as
    // it should.
    private CancellationToken _over;
    private ulong _lastNumber;
    private bool _hasCommands;

    // Under the lock of the subscriptions: whoever released the session has taken them over.
    private bool _isReleased;

    // The acknowledgement that the command in hand waits for; its outcome is answered by that wait alone.
    private PendingAcknowledgement? _pending;

    public EventSession(
        HubCore hub, HttpContext context, IServerStreamWriter<SessionResponse> responses, CancellationToken callCancelled)
    {
        _hub = hub;
        var peer = PeerIdentity.Of(context);
        _owner = new MachineOwner(peer, new SessionBudget(hub.Budget), "", "", isLease: false);
        _origin = new SessionOrigin(_owner);
        _gate = hub.GateFor(context, peer, _owner);
        _callCancelled = callCancelled;
        _writer = new SessionWriter(responses, _outbox, hub.Metrics);
    }

    /// <summary>Whether it is over, or about to be: it must not be made known any more.</summary>
    public bool HasEnded => _ended.Task.IsCompleted;

    public string Id { get; } = Guid.NewGuid().ToString("N");

    /// <summary>Runs the session until the client, the connection, the hub or a successor ends it.</summary>
    /// <exception cref="RpcException">It did not end by the client's wish.</exception>
    public async Task RunAsync(IAsyncStreamReader<SessionRequest> requests)
    {
        if (_hub.Stopping.IsCancellationRequested)
        {
            // Its listener may live a moment longer. A client must not take itself for connected to what is about to
            // go.
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
            // Not before: what its client has not read is held as long.
            _hub.Budget.Sessions.Give(_owner.Peer.UserId);
        }
    }

    private async Task RunCountedAsync(IAsyncStreamReader<SessionRequest> requests)
    {
        _hub.Metrics.SessionOpened();
        _hub.Logger.SessionBegan(Id);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_callCancelled);
        _over = over.Token;
        var reading = ReadAsync(requests);
        var writing = WriteAsync();
        var stopping = _hub.Stopping.Register(
            static session => ((EventSession)session!).End(HubCore.Stopped), this);

        // Who reads may be busy with commands for long, and who writes may have nothing to write.
        var cancelled = _callCancelled.UnsafeRegister(
            static session => ((EventSession)session!).End(new Verdict(StatusCode.Unavailable, "The session's connection ended.", "")), this);
        try
        {
            await Task.WhenAny(reading, writing, _ended.Task).ConfigureAwait(false);
        }
        finally
        {
            await stopping.DisposeAsync().ConfigureAwait(false);
            await cancelled.DisposeAsync().ConfigureAwait(false);
            End(Verdict.Ok);
            Release(await _ended.Task.ConfigureAwait(false));
            await over.CancelAsync().ConfigureAwait(false);
        }

        var verdict = await _ended.Task.ConfigureAwait(false);
        if (verdict.IsOk)
        {
            await writing.WaitAsync(_callCancelled).ConfigureAwait(false);
            return;
        }

        // A client that does not read any more must not keep the call for long; of its machines none is left.
        await Task.WhenAll(reading, writing).WaitAsync(ClosingTime, _callCancelled)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        throw verdict.ToException();
    }

    /// <summary>Ends the session. The first cause wins. Its machines are unregistered when this returns.</summary>
    public void End(Verdict verdict)
    {
        var isFirst = _ended.TrySetResult(verdict);
        verdict = isFirst ? verdict : _ended.Task.Result;

        // By each of them: the first may not have come to it yet, and who replaces this session registers the same
        // machines next.
        var machines = verdict.IsOk
            ? _hub.Machines.End(_owner, MachineChangeKind.Unregistered, "Its process closed its session.")
            : _hub.Machines.End(_owner, MachineChangeKind.Lost, verdict.Message);
        if (isFirst)
        {
            // Not before its machines have gone: until then who replaces it has to find it.
            _hub.RemoveSession(this, _owner);
            _hub.Metrics.SessionEnded();
            _hub.Logger.SessionEnded(Id, verdict.IsOk ? "The client closed it." : verdict.Message, machines);
        }
    }

    private async Task ReadAsync(IAsyncStreamReader<SessionRequest> requests)
    {
        // Commands that have come already must not be carried out before the rest of the session runs: they may take
        // long.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            // When the session has ended, what still comes is read and dropped: up to the client's own end.
            while (await requests.MoveNext(_callCancelled).ConfigureAwait(false))
            {
                await ExecuteAsync(requests.Current).ConfigureAwait(false);
            }

            End(Verdict.Ok);
        }
        catch (Exception exception)
        {
            End(new Verdict(StatusCode.Unavailable, $"The session's connection ended ({PeerText.Clean(exception.Message, PeerText.MaxSentence)}).", ""));
        }
    }

    private async Task WriteAsync()
    {
        try
        {
            await _writer.RunAsync(new SessionOpened
            {
                SessionId = Id,
                MaxIdLength = (uint)_hub.Options.MaxIdLength,
                MaxEventSize = (uint)_hub.Options.MaxEventSize,
                DefaultMailboxCapacity = (uint)_hub.Options.DefaultMailboxCapacity,
                MaxMailboxCapacity = (uint)_hub.Options.MaxMailboxCapacity,
            }).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            End(new Verdict(StatusCode.Unavailable, $"The session's connection ended ({PeerText.Clean(exception.Message, PeerText.MaxSentence)}).", ""));
        }
    }

    private async ValueTask ExecuteAsync(SessionRequest request)
    {
        var commands = request.Commands;
        for (var i = 0; i < commands.Count && !_ended.Task.IsCompleted; i++)
        {
            var command = commands[i];
            if (command.Number != 0 && command.Number <= _lastNumber)
            {
                End(Verdict.Invalid($"The command number {command.Number} came after {_lastNumber}; numbers must count up."));
                return;
            }

            Outcome? outcome = null;
            var verdict = _gate is null ? Verdict.Ok : await CheckAsync(_gate, command).ConfigureAwait(false);
            if (verdict.IsOk)
            {
                verdict = Execute(command, out outcome);
            }

            if (_context.MustWait)
            {
                verdict = await WaitForRoomAsync(verdict, outcome).ConfigureAwait(false);
            }

            Answer(command, verdict, outcome);
            _lastNumber = Math.Max(_lastNumber, command.Number);
            _pending = null;
        }

        _writer.CompletedThrough(_lastNumber);
        _context.SignalAll();
        _outbox.Signal();
    }

    private async ValueTask<Verdict> WaitForRoomAsync(Verdict verdict, Outcome? outcome)
    {
        _writer.CompletedThrough(_lastNumber);
        _outbox.Signal();
        var (inboxVerdict, accepted) =
            await _context.WaitForRoomAsync(_hub.Options, _callCancelled).ConfigureAwait(false);
        if (outcome is not null)
        {
            // Only a publication has both an outcome and mailboxes to wait for; that some were full does not fail it.
            outcome.Recipients += (uint)accepted;
            return verdict;
        }

        if (_pending is not null && !inboxVerdict.IsOk)
        {
            _pending.Fail(inboxVerdict);
            return Verdict.Ok;
        }

        return verdict.IsOk ? inboxVerdict : verdict;
    }

    private void Answer(SessionCommand command, Verdict verdict, Outcome? outcome)
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
        outcome.EventId = _hub.Limits.Echo((command.Send ?? command.Publish?.Event)?.Id);
        Add(outcome);
    }

    private void Add(Outcome outcome)
    {
        if (!_writer.TryAdd(outcome))
        {
            End(Verdict.Exhausted("The client sends commands, but does not read their outcomes."));
        }
    }

    // The reader may still be in the middle of a command; whatever it subscribes to now belongs to an owner that has
    // ended.
    private void Release(Verdict verdict)
    {
        LiveSubscription[] subscriptions;
        lock (_subscriptions)
        {
            _isReleased = true;
            subscriptions = [.. _subscriptions.Values];
        }

        foreach (var subscription in subscriptions)
        {
            _hub.Router.Unsubscribe(subscription);
        }

        EndWaits();
        _writer.End(verdict);
    }
}

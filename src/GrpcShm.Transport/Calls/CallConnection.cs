using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// A connection in direct mode: frames of many calls in the two rings. Receiving is done by one thread at a time,
/// who has the turn; sending by any number of threads at once. Neither waits for the other: what cannot be sent now
/// waits in its call, and receiving goes on.
/// </summary>
internal sealed partial class CallConnection : ISignaledOperation, IThreadPoolWorkItem
{
    private readonly SharedMemoryConnection _connection;
    private readonly ICallAcceptor? _acceptor;
    private readonly FrameSendingEnd _outbound;
    private readonly CallTable _calls = new();
    private readonly TaskCompletionSource<Exception> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Takes a connection whose handshake chose direct mode.</summary>
    /// <param name="connection">The connection; stays the caller's to dispose.</param>
    /// <param name="settings">How calls are carried.</param>
    /// <param name="acceptor">Makes the calls that are received, on a server.</param>
    public CallConnection(SharedMemoryConnection connection, CallSettings settings, ICallAcceptor? acceptor)
    {
        _connection = connection;
        _acceptor = acceptor;
        Settings = settings;
        if (settings.MaxBufferedBytes is { } most)
        {
            Budget = new ConnectionBudget(most, settings.MaxUnconsumedBytes, settings.SharedBudget);
        }

        _outbound = connection.OutboundFrames;
        MaxFrame = Math.Min(_outbound.MaxFrame, MaxFrameSize);
        ResetException = (_, message) => connection.CreateResetException(message, null);
    }

    public CallSettings Settings { get; }

    /// <summary>What its calls may hold together; <see langword="null"/> for any number of bytes.</summary>
    public ConnectionBudget? Budget { get; }

    public bool IsClient => _connection.Role == ConnectionRole.Client;

    /// <summary>The largest frame that is sent: half a ring, or less so that one sender does not hold up the others.</summary>
    public int MaxFrame { get; }

    public SentPairs SentPairs { get; } = new();

    public ReceivedPairs ReceivedPairs { get; } = new();

    /// <summary>Makes the exception for a call that the peer has reset, from the error and a sentence.</summary>
    public Func<CallError, string, Exception> ResetException { get; set; }

    /// <summary>What the exception for a call that the peer has reset says, whatever the error; without it, what the error means.</summary>
    public string? PeerResetText { get; init; }

    /// <summary>Makes what calls are told of the end of the connection.</summary>
    public Func<Exception, Exception> LossException { get; init; } = static failure => failure;

    /// <summary>How many calls have not left yet, without those that were refused.</summary>
    public int ActiveCalls => _calls.Count;

    /// <summary>How many calls there may be at once.</summary>
    public int MaxCalls => _connection.MaxCalls;

    /// <summary>Whether there are as many calls as there may be at the moment.</summary>
    public bool IsFull => _calls.Count >= _connection.MaxCalls;

    /// <summary>Whether the server has said that it goes away: a client begins no more calls on this connection.</summary>
    public bool IsGoingAway => Volatile.Read(ref _isGoingAway);

    /// <summary>Completes when nothing more will come, with the reason; then all calls have ended.</summary>
    public Task<Exception> Completion => _completion.Task;

    /// <summary>
    /// Comes when the last call has left, and when a server that goes away takes no more while there are none. On any thread;
    /// must not block.
    /// </summary>
    public Action? OnIdle { get; set; }

    /// <summary>Comes when a call has left after <see cref="AskForRoom"/> found no room. On any thread; must not block.</summary>
    public Action? OnRoom { get; set; }

    /// <summary>Comes when the server goes away. By the thread that receives; must not block.</summary>
    public Action? OnGoingAway { get; set; }

    /// <summary>Begins to receive.</summary>
    /// <exception cref="ObjectDisposedException">The connection has been closed.</exception>
    public void Start()
    {
        // One lease for each direction, given back when all calls have ended.
        _connection.AttachSend(IdleOperation.Instance);
        _connection.AttachReceive(this);
        Signal(onReactor: false);
    }

    /// <summary>Asks whether there is room for a call. On a client, any thread.</summary>
    /// <returns>Whether there is, or never will be. If not, <see cref="OnRoom"/> comes when there may be.</returns>
    public bool AskForRoom() => _calls.AskForRoom(MaxCalls);

    /// <summary>Begins a call. On a client, any thread.</summary>
    /// <returns>Whether it has an id now. If not, the connection is going away or lost, or has as many as it may.</returns>
    public bool TryBegin(CallStream call) => TryBegin(call, out _);

    /// <summary>Begins a call. On a client, any thread.</summary>
    /// <param name="call">The call.</param>
    /// <param name="isFull">Whether it is not begun because there are as many as there may be.</param>
    /// <returns>Whether it has an id now.</returns>
    public bool TryBegin(CallStream call, out bool isFull)
    {
        isFull = false;
        call.Attach(this);
        if (!IsGoingAway && _calls.TryAdd(call, MaxCalls, out isFull))
        {
            return true;
        }

        call.Detach();
        return false;
    }

    /// <summary>The call has left.</summary>
    public void Remove(CallStream call)
    {
        StopWaiting(call);
        if (_calls.Remove(call, out var makesRoom))
        {
            OnIdle?.Invoke();
        }

        if (makesRoom)
        {
            OnRoom?.Invoke();
        }

        if (IsGoingAway)
        {
            // A pong may wait for it.
            Settled();
        }
    }

    /// <summary>Whether a call is under way with that id.</summary>
    public bool Has(CallStream call, uint id) => ReferenceEquals(_calls.Find(id), call);

    public Exception CreateResetException(CallError error) =>
        ResetException(error, PeerResetText ?? error switch
        {
            CallError.Cancelled => "The peer cancelled the call.",
            CallError.Refused => "The peer did not take the call; it may be tried again.",
            CallError.TooMuch => "The peer did not take the call: it exceeds a limit of the peer's.",
            _ => $"The peer reset the call ({error}).",
        });

    /// <summary>What takes the place of a sender's operation: there is none to signal, waiting calls are resumed.</summary>
    private sealed class IdleOperation : ISignaledOperation
    {
        public static IdleOperation Instance { get; } = new();

        public bool IsWaiting => false;

        public void Signal(bool onReactor)
        {
        }

        public void Seal(Action afterLast) => afterLast();
    }
}

using System.Diagnostics;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// Knows which call a stream carries, on which connection, and which of the call's two directions have ended. It also
/// has the one gate that the parts of a stream share.
/// </summary>
/// <remarks>
/// <code>
/// field               written by                                       read by
/// Id                  the table of the connection, under its lock,     threads that got the call from the table, or
///                     before the call is in it                         keep the stream from carrying the next call
/// Carrier, HasWindow  Attach, before IsOn; Reuse                       as Id
/// IsOn                Attach, last; taken down under the gate          under the gate
/// HasSentEnd          under the gate                                   under the gate; others, which may see it late
/// HasReceivedEnd      under the gate, by the thread that receives, or  under the gate; the thread that receives,
///                     a thread that gives up a call before it begins   without it
/// IsReceivingReset    under the gate, by the thread that receives      under the gate
/// </code>
/// A call leaves its connection once: the thread that takes down IsOn under the gate has to let the call leave after it
/// has left the gate. No foreign code runs under the gate. Under it, the locks of the connection may be taken (the
/// table's, and that of the calls that wait for room), and the ring is written. The gate of the input is never taken
/// under it.
/// </remarks>
internal sealed class CallLife
{
    private bool _isOn;
    private bool _hasSentEnd;
    private bool _hasReceivedEnd;
    private bool _isReceivingReset;

    /// <summary>The gate of the call, under which the parts of its stream change their common state.</summary>
    public Lock Gate { get; } = new();

    /// <summary>The id on the connection, which the table sets.</summary>
    public uint Id { get; set; }

    /// <summary>The connection that carries the call, if there is one.</summary>
    public CallConnection? Carrier { get; private set; }

    /// <summary>The connection that carries the call.</summary>
    public CallConnection Connection => Carrier!;

    /// <summary>Whether the first window of the call is reserved in the budget of the connection.</summary>
    public bool HasWindow { get; private set; }

    /// <summary>Whether the call is attached and has not left. Under the gate.</summary>
    public bool IsOn => _isOn;

    /// <summary>
    /// Whether the call is attached to a connection and has not left it, for a thread that has found the stream there
    /// earlier. Under the gate.
    /// </summary>
    public bool IsOnAt(CallConnection connection)
    {
        VerifyGate();

        // In this order, see Attach.
        return Volatile.Read(ref _isOn) && ReferenceEquals(Carrier, connection);
    }

    /// <summary>Whether this side has sent all that it ever will.</summary>
    public bool HasSentEnd => Volatile.Read(ref _hasSentEnd);

    /// <summary>Whether the peer has ended its direction.</summary>
    public bool HasReceivedEnd => Volatile.Read(ref _hasReceivedEnd);

    /// <summary>Puts the call on a connection. Before anything is sent or received.</summary>
    public void Attach(CallConnection connection, bool hasWindow)
    {
        Carrier = connection;
        HasWindow = hasWindow;

        // Last: the heartbeat may look at a pooled call that it has found earlier, and must not find it on with the
        // values of its last use.
        Volatile.Write(ref _isOn, true);
    }

    /// <summary>Undoes <see cref="Attach"/> for a call that was given no id.</summary>
    public void Detach() => _isOn = false;

    /// <summary>
    /// Whether the stream still carries the call with an id on a connection. Under the gate: the answer holds for as
    /// long as the gate is held.
    /// </summary>
    public bool Carries(CallStream stream, CallConnection connection, uint id)
    {
        VerifyGate();
        return Volatile.Read(ref _isOn) && connection.Has(stream, id);
    }

    /// <summary>
    /// Whether the stream still carries the call with an id on its present connection. Under the gate: the answer holds
    /// for as long as the gate is held.
    /// </summary>
    /// <remarks>
    /// Asks the table, which has a call only once the call has its id: a stream that carries its next call is on
    /// earlier.
    /// </remarks>
    public bool Carries(CallStream stream, uint id)
    {
        VerifyGate();
        return Volatile.Read(ref _isOn) && Connection.Has(stream, id);
    }

    /// <summary>Notes that this side has sent its last frame. Under the gate.</summary>
    public void EndSending()
    {
        VerifyGate();
        Volatile.Write(ref _hasSentEnd, true);
    }

    /// <summary>
    /// Begins to handle a reset that has come. Until <see cref="EndReceiving"/> the call does not leave: this side may
    /// end the call at this moment, and the stream must not carry another call yet. Under the gate.
    /// </summary>
    public void BeginReset()
    {
        VerifyGate();
        _isReceivingReset = true;
    }

    /// <summary>Notes that the peer has ended its direction. Under the gate.</summary>
    public void EndReceiving()
    {
        VerifyGate();
        Volatile.Write(ref _hasReceivedEnd, true);
        _isReceivingReset = false;
    }

    /// <summary>Ends both directions, since the peer does not know of the call. Under the gate.</summary>
    public void EndUnheard()
    {
        VerifyGate();
        Volatile.Write(ref _hasSentEnd, true);

        // If a reset is being handled all the same, it keeps the call from leaving until it has been handled.
        Volatile.Write(ref _hasReceivedEnd, true);
    }

    /// <summary>Takes the call down if both directions have ended. Under the gate.</summary>
    /// <returns>Whether the caller has to let the call leave, after the gate.</returns>
    public bool TryLeave()
    {
        VerifyGate();
        if (!_isOn || !_hasSentEnd || !_hasReceivedEnd || _isReceivingReset)
        {
            return false;
        }

        _isOn = false;
        return true;
    }

    /// <summary>Takes the call down because its connection is lost. Under the gate.</summary>
    /// <returns>Whether the caller has to let the call leave, after the gate. If not, another thread does so at this
    /// moment.</returns>
    public bool TryLose()
    {
        VerifyGate();
        var wasOn = _isOn;
        _isOn = false;
        return wasOn;
    }

    /// <summary>Resets it for the next call. The call has to have left.</summary>
    public void Reuse()
    {
        Carrier = null;
        _hasSentEnd = false;
        _hasReceivedEnd = false;
    }

    /// <summary>Checks in debug builds that the caller has the gate.</summary>
    [Conditional("DEBUG")]
    public void VerifyGate() => Debug.Assert(Gate.IsHeldByCurrentThread, "The gate of the call is not held.");
}

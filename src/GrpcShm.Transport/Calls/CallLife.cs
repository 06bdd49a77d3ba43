using System.Diagnostics;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// Which call a stream carries, on which connection, and which of the two directions of that call have ended. Also the
/// one gate that the parts of a stream share.
/// </summary>
/// <remarks>
/// <code>
/// field               written by                                       read by
/// Id                  the table of the connection, under its lock,     those who got the call from the table, or keep
///                     before the call is in it                         the call from being replaced by the next one
/// Carrier, HasWindow  Attach, before IsOn; Reuse                       as Id
/// IsOn                Attach, last; taken down under the gate          under the gate
/// HasSentEnd          under the gate                                   under the gate; anybody else, who may see it
/// late HasReceivedEnd      under the gate, by the thread that receives, or  under the gate; the thread that receives
/// without                     by whoever gives up a call before it has begun
/// IsReceivingReset    under the gate, by the thread that receives      under the gate
/// </code>
/// A call leaves its connection once: whoever takes down IsOn under the gate has to leave, after the gate. No foreign
/// code runs under the gate. Under it, the locks of the connection may be taken (the table's, the one of the calls that
/// wait for room), and the ring is written; the gate of the input is never taken under it.
/// </remarks>
internal sealed class CallLife
{
    private bool _isOn;
    private bool _hasSentEnd;
    private bool _hasReceivedEnd;
    private bool _isReceivingReset;

    /// <summary>The gate of the call, under which all that the parts of its stream have in common is changed.</summary>
    public Lock Gate { get; } = new();

    /// <summary>The id on the connection; the table's to set.</summary>
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
    /// Whether the call is attached to a connection and has not left it, for one who has found the stream there
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

        // Last: the heartbeat may look at a pooled call that it has found earlier, and must not find it on with what it
        // was before.
        Volatile.Write(ref _isOn, true);
    }

    /// <summary>Undoes <see cref="Attach"/> for a call that was given no id.</summary>
    public void Detach() => _isOn = false;

    /// <summary>
    /// Whether the stream still carries the call that has this id on a connection. Under the gate, and true for as long
    /// as the gate is held.
    /// </summary>
    public bool Carries(CallStream stream, CallConnection connection, uint id)
    {
        VerifyGate();
        return Volatile.Read(ref _isOn) && connection.Has(stream, id);
    }

    /// <summary>
    /// Whether the stream still carries the call that has this id, on its connection. Under the gate, and true for as
    /// long as the gate is held.
    /// </summary>
    /// <remarks>
    /// By the table, which lists a call once it has its id: a stream that carries its next call is on before that.
    /// </remarks>
    public bool Carries(CallStream stream, uint id)
    {
        VerifyGate();
        return Volatile.Read(ref _isOn) && Connection.Has(stream, id);
    }

    /// <summary>This side has sent its last frame. Under the gate.</summary>
    public void EndSending()
    {
        VerifyGate();
        Volatile.Write(ref _hasSentEnd, true);
    }

    /// <summary>
    /// A reset has come and is being handled. Until <see cref="EndReceiving"/> the call does not leave: this side may
    /// end the call at this moment, and the stream must not carry another one yet. Under the gate.
    /// </summary>
    public void BeginReset()
    {
        VerifyGate();
        _isReceivingReset = true;
    }

    /// <summary>The peer has ended its direction. Under the gate.</summary>
    public void EndReceiving()
    {
        VerifyGate();
        Volatile.Write(ref _hasReceivedEnd, true);
        _isReceivingReset = false;
    }

    /// <summary>Both directions are over, since the peer has never heard of the call. Under the gate.</summary>
    public void EndUnheard()
    {
        VerifyGate();
        Volatile.Write(ref _hasSentEnd, true);

        // A reset that is being handled all the same keeps the call from leaving until then.
        Volatile.Write(ref _hasReceivedEnd, true);
    }

    /// <summary>Takes the call down if both directions have ended. Under the gate.</summary>
    /// <returns>Whether the caller has to leave, after the gate.</returns>
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
    /// <returns>Whether the caller has to leave, after the gate. If not, somebody else makes the call leave at this
    /// moment.</returns>
    public bool TryLose()
    {
        VerifyGate();
        var wasOn = _isOn;
        _isOn = false;
        return wasOn;
    }

    /// <summary>Makes it as new. The call has to have left.</summary>
    public void Reuse()
    {
        Carrier = null;
        _hasSentEnd = false;
        _hasReceivedEnd = false;
    }

    /// <summary>Checks that the caller has the gate, where debug builds are tested.</summary>
    [Conditional("DEBUG")]
    public void VerifyGate() => Debug.Assert(Gate.IsHeldByCurrentThread, "The gate of the call is not held.");
}

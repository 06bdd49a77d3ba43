namespace GrpcShm.Transport.Handshake;

/// <summary>A handshake has failed: one side has refused, and the message says why.</summary>
internal sealed class HandshakeException : IOException
{
    public HandshakeException(RefusalCode code, string message, bool byPeer = false, Exception? innerException = null)
        : base(message, innerException)
    {
        Code = code;
        ByPeer = byPeer;
    }

    public RefusalCode Code { get; }

    public bool ByPeer { get; }

    /// <summary>Whether the same attempt may succeed a moment later.</summary>
    public bool IsTransient => Code is RefusalCode.Busy or RefusalCode.Closing or RefusalCode.Resources;
}

namespace GrpcShm;

/// <summary>
/// The sentence by which a failed call tells how to wait for a server. A library that waits by itself leaves the
/// sentence out of its own messages.
/// </summary>
/// <remarks>Compiled into the transport, which writes it, and into the event client, which waits by itself.</remarks>
internal static class WaitingAdvice
{
    /// <summary>The sentence, with the space before it.</summary>
    public const string Text = " To wait for it, set WaitForServer, or make the call with WithWaitForReady().";
}

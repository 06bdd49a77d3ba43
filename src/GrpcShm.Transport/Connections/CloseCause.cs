using GrpcShm.Transport.Handshake;

namespace GrpcShm.Transport.Connections;

/// <summary>The reason why a connection ended. The first cause stays, and both sides log it.</summary>
/// <param name="Code">The kind of end.</param>
/// <param name="Reason">A sentence for people.</param>
/// <param name="ByPeer">Whether the peer ended it.</param>
/// <param name="Exception">The exception of this side that led to the end, if there is one.</param>
internal sealed record CloseCause(CloseCode Code, string Reason, bool ByPeer, Exception? Exception = null);

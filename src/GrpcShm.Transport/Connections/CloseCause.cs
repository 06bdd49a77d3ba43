using GrpcShm.Transport.Handshake;

namespace GrpcShm.Transport.Connections;

/// <summary>Why a connection ended. The first cause stays, and is what both sides log.</summary>
/// <param name="Code">The kind of end.</param>
/// <param name="Reason">A sentence for people.</param>
/// <param name="ByPeer">Whether the peer ended it.</param>
/// <param name="Exception">What led to it here, if an exception did.</param>
internal sealed record CloseCause(CloseCode Code, string Reason, bool ByPeer, Exception? Exception = null);

namespace GrpcShm.Transport.Platform;

/// <summary>A remark for the operator of a server on how the server's name was taken.</summary>
/// <param name="Text">A sentence.</param>
/// <param name="IsWarning">Whether the operator should put something right.</param>
internal sealed record RendezvousRemark(string Text, bool IsWarning);

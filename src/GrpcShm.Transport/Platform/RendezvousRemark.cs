namespace GrpcShm.Transport.Platform;

/// <summary>What whoever runs a server should know of how its name was taken.</summary>
/// <param name="Text">A sentence.</param>
/// <param name="IsWarning">Whether something should be put right.</param>
internal sealed record RendezvousRemark(string Text, bool IsWarning);

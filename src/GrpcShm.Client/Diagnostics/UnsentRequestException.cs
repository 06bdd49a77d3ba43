namespace GrpcShm.Client.Diagnostics;

/// <summary>
/// A request that is observed turns out not to be carried in direct mode, and goes another way, where it is measured,
/// too. Never reaches a caller.
/// </summary>
internal sealed class UnsentRequestException() : InvalidOperationException("The request is sent over HTTP/2 instead.");

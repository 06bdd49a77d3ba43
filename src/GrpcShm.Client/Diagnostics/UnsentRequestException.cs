namespace GrpcShm.Client.Diagnostics;

/// <summary>
/// Says that direct mode does not carry a request that is observed already. It goes another way, where it is measured
/// as well. Never reaches a caller.
/// </summary>
internal sealed class UnsentRequestException() : InvalidOperationException("The request is sent over HTTP/2 instead.");

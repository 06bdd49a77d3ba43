namespace GrpcShm.Samples.Comparison.XStateNetPipe;

/// <summary>The hub's line: the answer to a line of the client, or an event, which has a name.</summary>
/// <param name="Success">True if the request was carried out.</param>
/// <param name="Data">The data; a <c>JsonElement</c> on the reading side.</param>
/// <param name="Error">The reason why it was not carried out.</param>
internal sealed record PipeResponse(bool Success, object? Data, string? Error = null);

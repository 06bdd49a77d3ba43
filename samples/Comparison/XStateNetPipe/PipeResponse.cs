namespace GrpcShm.Samples.Comparison.XStateNetPipe;

/// <summary>
/// The hub's line: an answer to one of the client's, or an event, which is told apart by having a name.
/// </summary>
/// <param name="Success">Whether it was done.</param>
/// <param name="Data">What it is about; a <c>JsonElement</c> on the reading side.</param>
/// <param name="Error">Why it was not done.</param>
internal sealed record PipeResponse(bool Success, object? Data, string? Error = null);

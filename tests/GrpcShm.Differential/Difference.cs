namespace GrpcShm.Differential;

/// <summary>A request or a response that is not the same both ways.</summary>
/// <param name="Kind">"request" or "response".</param>
/// <param name="Number">Its number in the run.</param>
/// <param name="What">What differs, in a line.</param>
/// <param name="Text">All of it: what was sent, and what became of it on both sides.</param>
internal sealed record Difference(string Kind, long Number, string What, string Text);

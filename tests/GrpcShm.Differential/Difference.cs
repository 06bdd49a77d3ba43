namespace GrpcShm.Differential;

/// <summary>A request or a response that differs between direct mode and Kestrel.</summary>
/// <param name="Kind">"request" or "response".</param>
/// <param name="Number">Its number in the run.</param>
/// <param name="What">What differs, in a line.</param>
/// <param name="Text">The full text: the data sent, and the outcome on both sides.</param>
internal sealed record Difference(string Kind, long Number, string What, string Text);

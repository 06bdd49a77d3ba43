namespace GrpcShm.Samples.Comparison.Reporting.Charts;

/// <summary>A picture of a report.</summary>
/// <param name="FileName">Without a folder.</param>
/// <param name="Title">What it shows.</param>
/// <param name="Note">How to read it.</param>
/// <param name="Png">The picture.</param>
internal sealed record Chart(string FileName, string Title, string Note, byte[] Png);

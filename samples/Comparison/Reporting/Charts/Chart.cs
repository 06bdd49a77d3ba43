namespace GrpcShm.Samples.Comparison.Reporting.Charts;

/// <summary>A picture of a report.</summary>
/// <param name="FileName">Without a folder.</param>
/// <param name="Title">Its title.</param>
/// <param name="Note">An explanation for readers.</param>
/// <param name="Png">The picture.</param>
internal sealed record Chart(string FileName, string Title, string Note, byte[] Png);

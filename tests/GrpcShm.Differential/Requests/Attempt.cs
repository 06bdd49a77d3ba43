using System.Text.RegularExpressions;
using GrpcShm.Differential.Hosting;
using GrpcShm.Differential.Wire;

namespace GrpcShm.Differential.Requests;

/// <summary>A request as it was sent to one of the two sides.</summary>
internal sealed partial class Attempt(GeneratedRequest request, CallMark mark, CallReport report)
{
    public GeneratedRequest Request => request;

    public CallMark Mark => mark;

    public CallReport Report => report;

    public WireCall Call { get; set; } = new(0);

    /// <summary>True if its sender reset it before it ended.</summary>
    public bool IsReset { get; set; }

    public bool IsHandled => report.Begun > 0;

    public bool HasReachedReset =>
        request.Ending == Ending.Reset
        && !IsReset
        && !Call.IsOver
        && report.Begun > 0
        && report.Text is null
        && report.BytesRead >= request.BodyLength;

    public bool IsOver => IsReset || Call.IsOver;

    public string Outcome => IsReset ? "reset by its sender" : Call.ToString();

    // An answer, or the end of a handler that does not wait for the whole body, may or may not be faster than the
    // sender's reset.
    public override string ToString()
    {
        if (!IsHandled)
        {
            return $"not handled\noutcome: {Outcome}\n";
        }

        var shown = $"{report.Text ?? "the handler does not end\n"}handlers: {report.Begun}\n";
        return Request.Ending != Ending.Reset ? $"{shown}outcome: {Outcome}\n"
            : shown.Contains($"\nbody ended by: {nameof(IOException)}", StringComparison.Ordinal) ? shown
            : AbortedOrNot().Replace(shown, "");
    }

    [GeneratedRegex("^aborted: (True|False)\n", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex AbortedOrNot();
}

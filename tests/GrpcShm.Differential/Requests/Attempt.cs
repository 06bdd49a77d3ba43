using GrpcShm.Differential.Hosting;
using GrpcShm.Differential.Wire;

namespace GrpcShm.Differential.Requests;

/// <summary>A request on one of its two ways.</summary>
internal sealed class Attempt(GeneratedRequest request, CallMark mark, CallReport report)
{
    public GeneratedRequest Request => request;

    public CallMark Mark => mark;

    public CallReport Report => report;

    public WireCall Call { get; set; } = new(0);

    /// <summary>Whether its sender has reset it while it was under way.</summary>
    public bool IsReset { get; set; }

    public bool IsHandled => report.Begun > 0;

    public bool HasReachedReset =>
        request.Ending == Ending.Reset && !IsReset && !Call.IsOver && report.Begun > 0 && report.Text is null && report.BytesRead >= request.BodyLength;

    public bool IsOver => IsReset || Call.IsOver;

    public string Outcome => IsReset ? "reset by its sender" : Call.ToString();

    // Whether an answer is faster than its sender's reset is luck.
    public override string ToString() => IsHandled
        ? $"{report.Text ?? "the handler does not end\n"}handlers: {report.Begun}\n"
            + (Request.Ending == Ending.Reset ? "" : $"outcome: {Outcome}\n")
        : $"not handled\noutcome: {Outcome}\n";
}

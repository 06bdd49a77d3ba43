namespace GrpcShm.Differential;

/// <summary>The result of a run.</summary>
/// <param name="Seed">The seed that reproduces the run.</param>
/// <param name="Requests">How many requests were sent each way.</param>
/// <param name="Handled">How many of them reached both applications.</param>
/// <param name="Refused">How many of them both sides refused.</param>
/// <param name="RefusedDirect">How many of them direct mode alone refused, since they are not gRPC.</param>
/// <param name="Responses">How many responses were received each way.</param>
/// <param name="Unsteady">How many differences did not come again when their request or response was repeated
/// alone.</param>
/// <param name="Found">How many differences there are.</param>
/// <param name="Seconds">How long it took.</param>
internal sealed record Report(
    int Seed,
    long Requests,
    long Handled,
    long Refused,
    long RefusedDirect,
    long Responses,
    long Unsteady,
    int Found,
    double Seconds);

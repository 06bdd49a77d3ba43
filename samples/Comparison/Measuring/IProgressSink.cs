using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>Receives the progress of a comparison. It is called between runs, never during a run.</summary>
internal interface IProgressSink
{
    void Running(string scenario, ITransport transport, string what);

    void ScenarioFinished(IReadOnlyList<Measurement> measurements);
}

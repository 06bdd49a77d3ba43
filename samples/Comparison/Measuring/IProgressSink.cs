using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>Is told how far a comparison has come. Called between runs, never during one.</summary>
internal interface IProgressSink
{
    void Running(string scenario, ITransport transport, string what);

    void ScenarioFinished(IReadOnlyList<Measurement> measurements);
}

using GrpcShm.Fuzz.Targets;

namespace GrpcShm.Fuzz;

/// <summary>All targets.</summary>
internal static class FuzzTargets
{
    public static IReadOnlyList<IFuzzTarget> All { get; } =
    [
        new ControlMessageTarget(),
        new ServerHandshakeTarget(),
        new ClientHandshakeTarget(),
        new SegmentHeaderTarget(),
        new RingTarget(),
        new EndPointTarget(),
        new HeaderBlockTarget(),
        new DirectServerTarget(),
        new DirectClientTarget(),
        new EventTarget(),
        new SessionRequestTarget(),
        new SessionResponseTarget(),
        new LaneFrameTarget(),
    ];

    public static IFuzzTarget Find(string name) => All.Single(t => t.Name == name);
}

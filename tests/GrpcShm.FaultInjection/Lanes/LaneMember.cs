namespace GrpcShm.FaultInjection.Lanes;

/// <summary>The three processes that a lane depends on.</summary>
internal enum LaneMember
{
    /// <summary>The process that sends.</summary>
    Source,

    /// <summary>The process that receives.</summary>
    Target,

    /// <summary>The hub that has introduced them to each other.</summary>
    Hub,
}

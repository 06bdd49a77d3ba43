namespace Samples.Stress.Supervision;

/// <summary>The role of a process.</summary>
internal enum MemberKind
{
    /// <summary>The single hub.</summary>
    Hub,

    /// <summary>Sends events.</summary>
    Producer,

    /// <summary>Processes events.</summary>
    Consumer,
}

using System.Runtime.InteropServices;

namespace GrpcShm.TestHost.Faults;

/// <summary>
/// Forbids a system call for all threads of this process, as a container's seccomp profile does: the call fails with an
/// error. The kernel cannot undo this.
/// </summary>
internal static unsafe partial class Sandbox
{
    private const int NoNewPrivileges = 38;
    private const int SetModeFilter = 1;
    private const int AllThreads = 1;

    // The data that a filter sees: struct seccomp_data.
    private const uint NumberOffset = 0;
    private const uint ArchitectureOffset = 4;
    private const uint SecondArgumentOffset = 24;

    // Classic BPF: load a word, compare and jump, return.
    private const ushort Load = 0x20;
    private const ushort JumpIfEqual = 0x15;
    private const ushort Return = 0x06;
    private const uint Allow = 0x7FFF0000;
    private const uint Fail = 0x00050000;

    private static readonly bool IsArm64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    // The numbers on x64 and arm64. The second argument is there if several calls have the same number.
    private static readonly Dictionary<string, (uint X64, uint Arm64, uint? Argument)> Calls = new()
    {
        ["memfd_create"] = (319, 279, null),
        ["fallocate"] = (285, 47, null),
        ["ftruncate"] = (77, 46, null),
        ["fcntl(F_ADD_SEALS)"] = (72, 25, 1033),
        ["fcntl(F_GET_SEALS)"] = (72, 25, 1034),
        ["eventfd2"] = (290, 19, null),
        ["epoll_create1"] = (291, 20, null),
        ["readlink"] = (89, 78, null),
        ["lseek"] = (8, 62, null),
        ["socket"] = (41, 198, null),
    };

    /// <summary>Forbids a call from now on.</summary>
    /// <param name="call">One of the calls in the table above.</param>
    /// <param name="error">The error with which the call fails.</param>
    public static void Forbid(string call, ushort error)
    {
        var (x64, arm64, argument) = Calls[call];
        var program = Program(IsArm64 ? arm64 : x64, argument, error);
        if (Control(NoNewPrivileges, 1, 0, 0, 0) != 0)
        {
            throw new InvalidOperationException(Marshal.GetLastPInvokeErrorMessage());
        }

        fixed (Instruction* instructions = program)
        {
            var filter = new Filter { Length = (ushort)program.Length, Instructions = instructions };
            if (SystemCall(IsArm64 ? 277 : 317, SetModeFilter, AllThreads, &filter) != 0)
            {
                throw new InvalidOperationException($"seccomp: {Marshal.GetLastPInvokeErrorMessage()}");
            }
        }
    }

    private static Instruction[] Program(uint number, uint? argument, ushort error)
    {
        var architecture = IsArm64 ? 0xC00000B7 : 0xC000003E;
        Instruction[] condition = argument is { } value
            ? [new(Load, 0, 0, SecondArgumentOffset), new(JumpIfEqual, 0, 1, value)]
            : [];
        var rest = (byte)(condition.Length + 1);
        return
        [
            new(Load, 0, 0, ArchitectureOffset),
            new(JumpIfEqual, 0, (byte)(rest + 2), architecture),
            new(Load, 0, 0, NumberOffset),
            new(JumpIfEqual, 0, rest, number),
            .. condition,
            new(Return, 0, 0, Fail | error),
            new(Return, 0, 0, Allow),
        ];
    }

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int Control(int option, nuint second, nuint third, nuint fourth, nuint fifth);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nuint operation, nuint flags, Filter* filter);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Instruction(ushort Code, byte IfTrue, byte IfFalse, uint Operand);

    [StructLayout(LayoutKind.Sequential)]
    private struct Filter
    {
        public ushort Length;
        public Instruction* Instructions;
    }
}

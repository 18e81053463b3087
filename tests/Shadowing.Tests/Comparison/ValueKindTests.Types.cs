namespace Shadowing.Tests.Comparison;

/// <summary>The types that are compared.</summary>
public sealed partial class ValueKindTests
{
    internal sealed record Holder<T>(T Value);

    internal sealed record Line(List<int> Numbers);

    internal sealed record Declared(List<Part> Rows, Action Call);

    internal sealed record Part(Stream Data);

    /// <summary>As types of dates and amounts often are.</summary>
    internal sealed class Opaque(int state)
    {
        private readonly int _state = state;

        public override bool Equals(object? obj) => obj is Opaque other && other._state == _state;

        public override int GetHashCode() => _state;
    }

    internal sealed class Half(int shown, int hidden) : IEquatable<Half>
    {
        private readonly int _hidden = hidden;

        public int Shown => shown;

        public bool Equals(Half? other) => other is not null && other.Shown == Shown && other._hidden == _hidden;

        public override bool Equals(object? obj) => Equals(obj as Half);

        public override int GetHashCode() => Shown;
    }

    internal sealed record Secretive(int Shown)
    {
        private readonly int _hidden;

        public Secretive(int shown, int hidden) : this(shown) => _hidden = hidden;
    }

    internal sealed record Hoarder(List<int> Shown)
    {
        private readonly List<int> _hidden = [];

        public Hoarder(List<int> shown, List<int> hidden) : this(shown) => _hidden = hidden;
    }

    internal sealed record Guarded(int Value)
    {
        private readonly Lock _lock = new();

        public override string ToString() => _lock.IsHeldByCurrentThread ? "held" : "free";
    }

    internal struct Point
    {
        public int X;
    }

    internal sealed class Plain
    {
        public string? Name { get; init; }
    }

    internal sealed class Closed(int state)
    {
        private readonly int _state = state;

        public override string ToString() => $"{_state}";
    }

    internal readonly struct ClosedStruct(int state)
    {
        private readonly int _state = state;

        public override string ToString() => $"{_state}";
    }

    internal sealed class OwnException : Exception;
}
